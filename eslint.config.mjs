import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: ['dist/', '.graft/', 'coverage/', 'node_modules/', '**/generated/', 'bench/results/', 'prisma.config.ts'],
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A forgotten await loses an error; a promise where none is expected is a forgotten await.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      // A spread of an object of a class has its fields and none of its methods, though its type says both.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An interface of promises may be met without waiting for anything.
      '@typescript-eslint/require-await': 'off',
      // Objects of functions are passed around by their members here; classes keep `this` in methods that are called as such.
      '@typescript-eslint/unbound-method': 'off',
      // `'ok' | string` documents the usual value.
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'Take a seed, or node:crypto for secrets.',
        },
        {
          selector: "CallExpression[callee.property.name='decode'][callee.object.callee.name='TextDecoder']",
          message: 'Node reads windows-1252 wrongly in one call: take decode of src/kernel/decode.ts.',
        },
        {
          // Prisma gathers these of whoever asks in the same turn, and asks for all as the first of them: in another's workspace.
          selector: "MemberExpression[property.name=/^findUnique/]:not([object.object.name='tx'])",
          message: 'Outside of a transaction take findFirst.',
        },
      ],
    },
  },
  {
    // Type-graphql reads the classes of decorated fields at run time, so an import that looks like a type may be a value.
    files: [
      '**/*-graphql.ts',
      'src/kit/graphql/**/*.ts',
      'test/support/probe-schema.ts',
      'test/unit/graphql-kit.test.ts',
    ],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'off',
      // Types of GraphQL are classes without methods.
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-console': 'off',
      // `expect.any(String)` is `any`, and so is much of what a test takes apart.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    // A page of the console is read from top to bottom: what doesn't fit on a screen has parts with names.
    files: ['src/console/**/*.{ts,tsx}'],
    ignores: ['src/console/generated/**'],
    rules: { complexity: ['error', 15], 'max-lines-per-function': ['error', { max: 80 }] },
  },
  { files: ['**/*.{mjs,cjs}'], extends: [tseslint.configs.disableTypeChecked] },
  prettier,
);
