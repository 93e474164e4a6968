import { defineConfig } from 'vite'

export default defineConfig({
  base: './',
  publicDir: false,
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Browsers that know light-dark(), which the style sheet leans on.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The polyfill would be an extra script; data: URLs for small assets stay off so that the CSP needs no exception for them.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  // For live reload while `node test/browser/fixture-server.ts` runs beside `npx vite dashboards`.
  server: { host: '127.0.0.1', proxy: { '/v1': 'http://127.0.0.1:4318', '/sign-in': 'http://127.0.0.1:4318' } },
})
