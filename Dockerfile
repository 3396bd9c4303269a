# All of Graft: gateway, workers, command line, PostgreSQL, Chroma and the default models. `docker run -p 4000:4000 -v graft:/data graft` is whole; with
# DATABASE_URL, CHROMA_URL and a bucket it is one gateway of several: see docs/scale.md. `docker build --tag graft .`
FROM node:22-trixie-slim AS build
WORKDIR /graft
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run production
RUN node scripts/fetch-models.mjs models

FROM node:22-trixie-slim
LABEL org.opencontainers.image.title="graft" \
      org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-SA-4.0"
ENV NODE_ENV=production \
    GRAFT_HOME=/data \
    GRAFT_MODELS=/data/models \
    GRAFT_HOST=0.0.0.0 \
    GRAFT_FIRST_KEY=on \
    GRAFT_PORT=4000
# libgomp is what the inference and embedding engines are linked to; certificates are for the sources of other models.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner=node --group=node /data
WORKDIR /graft
COPY --from=build /graft/package.json /graft/LICENSE /graft/NOTICE ./
COPY --from=build /graft/node_modules ./node_modules
COPY --from=build /graft/dist ./dist
COPY --from=build /graft/models ./models
COPY --from=build /graft/prisma ./prisma
COPY --from=build /graft/readers ./readers
COPY --from=build /graft/schema ./schema
COPY --from=build /graft/src/client/operations ./src/client/operations
USER node
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4000/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/start.js"]
