# OpenRegistry as an image. It takes the dependencies that are installed in the checkout, so the build itself needs no npm:
#
#   npm install --omit=dev --ignore-scripts
#   docker build --tag openregistry .
#   docker run --publish 127.0.0.1:5000:5000 --volume registry:/data \
#     --env OPEN_REGISTRY_AUTH_ALLOW_OPEN_NETWORK=true openregistry
#
# Without a users file or that last switch it refuses to start, since it listens on every address of its container: see
# docs/running.md.

# Any image with glibc and a shell.
ARG BASE=debian:12-slim

FROM ${BASE} AS base
# The runtime is linked with libatomic, which small images lack.
RUN for file in /lib/*/libatomic.so.1 /usr/lib/*/libatomic.so.1 /usr/lib64/libatomic.so.1; do \
      [ ! -e "$file" ] || exit 0; \
    done; \
    apt-get update && apt-get install --yes --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/*

FROM base AS checkout
COPY . /opt/openregistry
RUN sh /opt/openregistry/deploy/image/prune.sh

FROM base
COPY --from=checkout /opt/openregistry /opt/openregistry
RUN mkdir -p /usr/local/bin /data \
    && ln -s /opt/openregistry/bin/openregistry /usr/local/bin/openregistry \
    && chown 10001:10001 /data \
    && openregistry version
ENV OPEN_REGISTRY_DATA_DIR=/data OPEN_REGISTRY_HTTP_HOST=0.0.0.0
# A number, so that "runAsNonRoot" of Kubernetes can see that it is not root.
USER 10001:10001
# openregistry.yaml is looked for here.
WORKDIR /etc/openregistry
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["openregistry", "doctor", "--running"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["openregistry"]
CMD ["serve"]
