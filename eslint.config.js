import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['build*/', 'dist/', 'coverage/', 'node_modules/'] },
  {
    files: ['{grammar,analyzer,report,kernel,cli,test,bench}/**/*.ts', 'index.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      /** It asks for `!`, which the rules forbid elsewhere. */
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      /** Tokens go through Chevrotain as its IToken, and come back as our Token. */
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      /** Spreading a string into its characters is meant so where it is done: the alphabet is ASCII. */
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
);
