/** How the web app is built: `vite build player` writes player/dist, which the server serves as it is. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Page addresses have any depth (/studio/channels/x), and all get the same index.html: assets need an absolute path.
  base: '/',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['es2022', 'chrome111', 'safari16.4', 'firefox115'],
    // The page's policy allows no data: scripts and no inline script; everything is a file with a hash in its name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    // hls.js is one file of its own, loaded by pages that play.
    chunkSizeWarningLimit: 700,
  },
});
