package dev.sluice.service.grpc;

import java.util.Optional;

import io.smallrye.config.ConfigMapping;

/** Settings of the gRPC server. */
@ConfigMapping(prefix = "rate-limit.grpc")
public interface GrpcConfig {

    /** Port of the gRPC server: Envoy's rate limit service and ext_authz, health and reflection. 1 to 65535; no gRPC if it is not set. */
    Optional<Integer> port();

    /**
     * Name of a configuration in Quarkus's TLS registry with the certificate of the gRPC server; if it has a trust store, clients
     * need a certificate (mTLS). By default that of the HTTP server, {@code quarkus.http.tls-configuration-name}; without either,
     * gRPC is not encrypted.
     */
    Optional<String> tlsConfigurationName();
}
