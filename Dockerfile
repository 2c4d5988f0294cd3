# Millrace in a container: Node 24 and ffmpeg on Debian 13, not root, nothing written outside /data.
#
#   docker build -t millrace .
#   docker run -p 8080:8080 -p 1935:1935 -p 10080:10080/udp -v millrace:/data --read-only --tmpfs /tmp millrace

FROM node:24-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are a Node for machines that have none, and the tools that build the web app.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-trixie-slim AS web
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --include=optional --ignore-scripts --no-audit --no-fund
COPY player ./player
RUN npm run build:web

FROM node:24-trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY scripts ./scripts
COPY conf ./conf
COPY packager ./packager
COPY ingest ./ingest
COPY server ./server
COPY --from=web /app/player/dist ./player/dist
# The one volume belongs to the user of the base image (uid 1000) before it becomes a volume.
RUN ln -s /app/scripts/launch.mjs /usr/local/bin/millrace \
    && mkdir /data \
    && chown node:node /data
ENV NODE_ENV=production \
    MILLRACE_DATA=/data \
    NODE_COMPILE_CACHE=/tmp/millrace-compile
USER node
VOLUME /data
EXPOSE 8080/tcp 1935/tcp 10080/udp
# Alive, not ready: a server whose disk is full is not helped by a restart.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.MILLRACE_HTTP_PORT || 8080) + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Exec form, and the launcher replaces itself: process 1 is the server, and signals reach it.
ENTRYPOINT ["millrace"]
CMD ["serve"]
