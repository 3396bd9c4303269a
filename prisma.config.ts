import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Only `prisma migrate` against a server of your own reads it; Graft applies its migrations itself at start.
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
