# A static binary in an empty image: `docker run pedidos COMMAND`. docker-compose.yml runs every service from it.
FROM golang:1.26 AS build
ARG GOPROXY
ARG GOFLAGS
# The version that `pedidos version` prints, such as --build-arg VERSION=$(git describe --tags --always).
ARG VERSION
ENV CGO_ENABLED=0
WORKDIR /src
# grpcnotrace leaves out pages of debugging whose templates look methods up by name: the linker would have to keep all methods, 9 MB.
# The caches persist across builds, so that a change compiles only what it affects and downloads nothing.
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go build -tags grpcnotrace -trimpath -ldflags="-s -w -X main.version=$VERSION" -o /pedidos ./services/cmd/pedidos

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /pedidos /
USER 65532:65532
ENTRYPOINT ["/pedidos"]
CMD ["--help"]
