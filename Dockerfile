# docker build -t iptables-lint . && docker run --rm -v "$PWD:/rules:ro" iptables-lint .
FROM node:24-alpine AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund && npm pack --silent --pack-destination /tmp

FROM node:24-alpine
COPY --from=build /tmp/iptables-lint-*.tgz /tmp/
RUN npm install --global --omit=dev --no-audit --no-fund /tmp/iptables-lint-*.tgz && rm -rf /tmp/iptables-lint-*.tgz /root/.npm
USER node
WORKDIR /rules
ENTRYPOINT ["iptables-lint"]
CMD ["--help"]
