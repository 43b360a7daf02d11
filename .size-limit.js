// Budgets, gzip. What the page loads first is read from the built page itself, so no chunk can slip past.
import { readdirSync, readFileSync } from 'node:fs'

const html = readFileSync('dist/index.html', 'utf8')
const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((m) => `dist/${m[1]}`)
const asset = (pattern) => readdirSync('dist/assets').filter((f) => pattern.test(f)).map((f) => `dist/assets/${f}`)

export default [
  { name: 'first-load JS', path: first.filter((f) => f.endsWith('.js')), limit: '300 kB', gzip: true },
  { name: 'first-load styles', path: first.filter((f) => f.endsWith('.css')), limit: '40 kB', gzip: true },
  { name: 'simulation worker', path: asset(/^worker-.*\.js$/), limit: '700 kB', gzip: true },
  { name: 'editor on demand', path: asset(/^monaco-.*\.js$/), limit: '1100 kB', gzip: true },
]
