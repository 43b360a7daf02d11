// `npm start`: installs if needed, builds if needed, serves the page and prints its address. Any words behind `--` go to the server.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './install.mjs'

function newest(path) {
  const info = statSync(path)
  if (!info.isDirectory()) return info.mtimeMs
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

installPackages()
const sources = ['src', 'public', 'index.html', 'vite.config.ts', 'package-lock.json']
if (!existsSync('dist/index.html') || Math.max(...sources.map(newest)) > statSync('dist/index.html').mtimeMs) {
  console.log('Building the page …')
  const { status } = spawnSync('npx', ['vite', 'build', '--logLevel', 'warn'], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
const { serve } = await import('./serve.mjs')
const option = (name, fallback) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback)
for (let port = Number(option('--port', '4173')); ; port++) {
  try {
    const { url } = await serve({ base: option('--base', '/'), port })
    console.log(`\n  Orrery is at ${url}\n  Stop it with Ctrl-C.\n`)
    break
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
  }
}
