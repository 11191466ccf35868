// The rules for all JavaScript here. The packages are those of the browser tests, so that the repository
// needs no second set; editors find this file, and `npm run lint` in tests/browser runs it.

import { createRequire } from 'node:module';

const require = createRequire(new URL('tests/browser/', import.meta.url));
const js = require('@eslint/js');
const globals = require('globals');

export default [
  { ignores: ['dist/', 'target/', 'www/vendor/', 'pkg/lfdm*', '**/node_modules/', '**/vite-app/'] },
  js.configs.recommended,
  {
    rules: {
      camelcase: ['error', { properties: 'never' }],
      curly: ['error', 'multi-line'],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-len': ['error', { code: 120 }],
      'no-implicit-coercion': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-useless-rename': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-arrow-callback': 'error',
      'prefer-const': 'error',
      'prefer-template': 'error',
    },
  },
  { files: ['www/app/**', 'pkg/**'], languageOptions: { globals: globals.browser } },
  { files: ['pkg/worker.js', 'pkg/helper.js'], languageOptions: { globals: globals.worker } },
  { files: ['www/sw.js'], languageOptions: { globals: globals.serviceworker } },
  { files: ['tools/**', '*.mjs'], languageOptions: { globals: globals.node } },
  // Parts of the tests run in a page and in its worker.
  { files: ['tests/browser/**'], languageOptions: { globals: { ...globals.browser, ...globals.node, gc: false } } },
];
