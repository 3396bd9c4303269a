# Gateway, workers and command line. PostgreSQL, Chroma and, where several gateways share files, S3 are given by their addresses:
# see docs/scale.md. `docker build --tag graft .`
FROM node:22-trixie-slim AS build
WORKDIR /graft
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run production

FROM node:22-trixie-slim
LABEL org.opencontainers.image.title="graft" \
      org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-SA-4.0"
ENV NODE_ENV=production \
    GRAFT_HOME=/data \
    GRAFT_MODELS=/data/models \
    GRAFT_HOST=0.0.0.0 \
    GRAFT_PORT=4000
# libgomp is what the inference and embedding engines are linked to; certificates are for the models' sources.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner=node --group=node /data
WORKDIR /graft
COPY --from=build /graft/package.json /graft/LICENSE /graft/NOTICE ./
COPY --from=build /graft/node_modules ./node_modules
COPY --from=build /graft/dist ./dist
COPY --from=build /graft/prisma ./prisma
COPY --from=build /graft/readers ./readers
COPY --from=build /graft/schema ./schema
COPY --from=build /graft/src/operations ./src/operations
USER node
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4000/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
