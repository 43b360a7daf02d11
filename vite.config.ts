import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Sent by the server in tests and, as far as a meta element can, by the page itself on any static host. Monaco needs inline styles. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"

export default defineConfig({
  base: './',
  plugins: [
    react(),
    {
      name: 'csp',
      transformIndexHtml: {
        order: 'post',
        handler: (html, ctx) =>
          ctx.server
            ? html
            : html.replace('<!--csp-->', `<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}">`),
      },
    },
  ],
  resolve: {
    // monaco-worker-manager imports the paths of monaco-editor before 0.56.
    alias: [{ find: /^monaco-editor\/esm\/vs\/(.*)$/, replacement: 'monaco-editor/$1' }],
  },
  worker: { format: 'es' },
  build: { target: 'es2023', chunkSizeWarningLimit: 4000, manifest: true },
  optimizeDeps: { include: ['monaco-yaml', 'monaco-yaml/yaml.worker.js'] },
})
