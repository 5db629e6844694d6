# One static binary in an empty image: `docker run pedidos COMMAND`. docker-compose.yml runs each service with it.
FROM golang:1.26 AS build
ARG GOPROXY
ARG GOFLAGS
# What pedidos version says, such as --build-arg VERSION=$(git describe --tags --always).
ARG VERSION
ENV CGO_ENABLED=0
WORKDIR /src
# Without grpcnotrace the exporter of traces brings a page of templates, and with those every method of every type: 6 MB.
# The caches outlive the build, so that a change compiles what it touches and downloads nothing.
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
