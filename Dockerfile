# The program in one image; the command chooses the role: up, ingest, correlate, …
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: the image has its own Node 24, and its PostgreSQL is another container.
RUN npm ci --ignore-scripts
COPY . .
# The page is built with development packages, which are then taken away.
RUN node node_modules/vite/bin/vite.js build dashboards \
 && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production TRAILJOIN_DATA_DIR=/var/lib/trailjoin
WORKDIR /app
COPY --from=build /app /app
# Holds the access token of the API; with DATABASE_URL nothing else.
RUN install -d -m 0700 -o node -g node /var/lib/trailjoin
USER node
VOLUME /var/lib/trailjoin
ENTRYPOINT ["node", "/app/bin/trailjoin.ts"]
CMD ["--help"]
