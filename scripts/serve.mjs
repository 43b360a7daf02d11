// Serves a folder under a sub-path, with gzip and the content security policy, as a strict static host would.
//   node scripts/serve.mjs [--port 4173] [--base /] [--dir dist]
import { createServer } from 'node:http'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
}
const COMPRESSED = new Set(['.html', '.js', '.css', '.json', '.svg', '.webmanifest', '.txt'])
const CSP =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"

/** Resolves to {url, close} once it listens. Binds to loopback only. */
export function serve({ dir = 'dist', base = '/', port = 0 } = {}) {
  const cache = new Map()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    if (!path.startsWith(base)) {
      response.writeHead(path === '/' ? 302 : 404, path === '/' ? { location: base } : {}).end()
      return
    }
    const file = normalize(join(dir, path.slice(base.length) || 'index.html'))
    if (!file.startsWith(normalize(dir)) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found')
      return
    }
    const type = extname(file)
    const headers = {
      'content-type': TYPES[type] ?? 'application/octet-stream',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'cache-control': type === '.html' ? 'no-cache' : 'max-age=60',
    }
    if (COMPRESSED.has(type) && /gzip/.test(request.headers['accept-encoding'] ?? '')) {
      const key = `${file} ${statSync(file).mtimeMs}`
      if (!cache.has(key)) cache.set(key, gzipSync(readFileSync(file)))
      response.writeHead(200, { ...headers, 'content-encoding': 'gzip' }).end(cache.get(key))
    } else response.writeHead(200, headers).end(readFileSync(file))
  })
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, '127.0.0.1', () =>
      resolve({ url: `http://127.0.0.1:${server.address().port}${base}`, close: () => new Promise((done) => server.close(done)) }),
    )
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name, fallback) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback)
  const { url } = await serve({ dir: option('--dir', 'dist'), base: option('--base', '/'), port: Number(option('--port', '4173')) })
  console.log(`Orrery is at ${url}`)
}
