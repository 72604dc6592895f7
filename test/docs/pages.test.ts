/** The pages under docs/ together: generated ones are current, all are in the index, links lead somewhere. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { formatNames } from '../../report/formats.js';
import { conformancePage } from '../../scripts/conformance-page.js';
import { formatPage } from '../../scripts/format-page.js';

const pages = readdirSync('docs').filter(name => name.endsWith('.md'));

test('docs/formats.md is current, and has every format with what it prints', async t => {
  const page = readFileSync('docs/formats.md', 'utf8');
  t.is(page, await formatPage(), 'run npm run docs');
  t.deepEqual([...page.matchAll(/^## (\w+)$/gmu)].map(match => match[1]), [...formatNames]);
});

test('docs/conformance.md is current, and says with which kernel and when', t => {
  const page = readFileSync('docs/conformance.md', 'utf8');
  t.is(page, conformancePage(), 'run npm run docs');
  t.regex(page, /Measured on \d{4}-\d{2}-\d{2}, with Linux \d+\.\d+\.\d+ and iptables 1\.8\.\d/u);
});

test('the index names every page and every schema', t => {
  const index = readFileSync('docs/README.md', 'utf8');
  for (const name of readdirSync('docs')) if (/\.(?:md|schema\.json|1)$/u.test(name) && name !== 'README.md') t.true(index.includes(`](${name})`), name);
});

test('links lead to files, and to headings that are there', t => {
  for (const file of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pages.map(name => `docs/${name}`)]) {
    const text = readFileSync(file, 'utf8').replace(/^(`{3,})[^]*?^\1$/gmu, '');
    for (const [, target = '', heading] of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/gu)) {
      const path = target === '' ? file : join(dirname(file), target);
      t.true(existsSync(path), `${file}: ${target}`);
      if (heading !== undefined) t.true([...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gmu)].some(match => match[1]?.toLowerCase().replace(/[^\w\- ]/gu, '').replaceAll(' ', '-') === heading), `${file}: ${target}#${heading}`);
    }
  }
});
