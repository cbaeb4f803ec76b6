// Serves one page for each dashboard beside a Prometheus, and takes its picture: node shoot.mjs SETTINGS_AS_JSON
import { createServer } from 'node:http';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const WIDTH = 1280;
const settings = JSON.parse(process.argv[2]);
const files = { '.svg': 'dataurl', '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' };
const bundled = await build({
  entryPoints: ['draw.jsx'],
  bundle: true,
  write: false,
  outdir: '.',
  format: 'iife',
  jsx: 'automatic',
  define: { global: 'window', 'process.env.NODE_ENV': '"development"' },
  // Their CommonJS build: in the other one, defaults of CommonJS packages come out wrapped.
  alias: { '@grafana/ui': './node_modules/@grafana/ui/dist/cjs/index.cjs', '@grafana/data': './node_modules/@grafana/data/dist/cjs/index.cjs' },
  loader: files,
  logLevel: 'error',
});
const script = bundled.outputFiles.find((each) => each.path.endsWith('.js')).text;
const styles = bundled.outputFiles.find((each) => each.path.endsWith('.css'))?.text ?? '';

function page(name) {
  const dashboard = JSON.parse(readFileSync(`${settings.dashboards}/${name}.json`, 'utf8'));
  const job = JSON.stringify({ ...settings, dashboard, width: WIDTH }).replaceAll('<', '\\u003c');
  return `<!doctype html><meta charset="utf-8"><style>${styles}</style><div id="root"></div>
<script>window.JOB = ${job}; window.drawnPanels = 0; window.failures = [];
window.drawn = () => window.drawnPanels++; window.failed = (text) => window.failures.push(text);
window.grafanaBootData = { settings: {}, user: {} };</script><script src="/draw.js"></script>`;
}

/** Where a package has the icon or font that a component asks for. */
function shipped(path) {
  const weight = /Inter-(Regular|Medium)/.exec(path)?.[1];
  if (weight) {
    return `node_modules/@fontsource/inter/files/inter-latin-${weight === 'Medium' ? 500 : 400}-normal.woff2`;
  }
  return `node_modules/@grafana/ui/dist/public/${path.split('/public/build/').at(-1).split('/public/').at(-1)}`;
}

const server = createServer(async (request, response) => {
  const { pathname, search } = new URL(request.url, 'http://localhost');
  if (pathname.startsWith('/api/')) {
    const answer = await fetch(settings.prometheus + pathname + search);
    response.setHeader('content-type', 'application/json').end(await answer.text());
  } else if (pathname === '/draw.js') {
    response.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
  } else if (settings.names.some((name) => pathname === `/board/${name}`)) {
    response.setHeader('content-type', 'text/html').end(page(pathname.slice('/board/'.length)));
  } else if (existsSync(shipped(pathname))) {
    response.setHeader('content-type', pathname.endsWith('.svg') ? 'image/svg+xml' : 'font/woff2');
    response.end(readFileSync(shipped(pathname)));
  } else {
    response.writeHead(404).end();
  }
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const address = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
mkdirSync(settings.pictures, { recursive: true });
let failed = false;
for (const name of settings.names) {
  const tab = await browser.newPage({ viewport: { width: WIDTH + 24, height: 900 }, locale: 'en-GB', timezoneId: 'UTC' });
  tab.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  tab.on('console', (message) => message.type() === 'error' && !message.text().includes('404') && console.error(`${name}: ${message.text()}`));
  await tab.goto(`${address}/board/${name}`);
  const panels = JSON.parse(readFileSync(`${settings.dashboards}/${name}.json`, 'utf8')).panels.filter((each) => each.type !== 'row');
  await tab.waitForFunction((count) => window.failures.length || window.drawnPanels >= count, panels.length, { timeout: 20_000 });
  const failures = await tab.evaluate(() => window.failures);
  failures.forEach((text) => console.error(`${name}: ${text}`));
  failed ||= failures.length > 0;
  await tab.evaluate(() => document.fonts.ready);
  await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const picture = `${settings.pictures}/dashboard-${name}.png`;
  await tab.locator('#root').screenshot({ path: picture });
  execFileSync('pngquant', ['--force', '--speed=1', '--output', picture, '64', picture]);
  console.log(`docs/images/dashboard-${name}.png`);
  await tab.close();
}
await browser.close();
server.close();
process.exit(failed ? 1 : 0);
