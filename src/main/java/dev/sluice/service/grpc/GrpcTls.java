package dev.sluice.service.grpc;

import java.util.Optional;

import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.Config;

import dev.sluice.config.ConfigProblems;
import io.quarkus.tls.TlsConfiguration;
import io.quarkus.tls.TlsConfigurationRegistry;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.SSLOptions;

/** TLS of the gRPC server: a configuration of Quarkus's TLS registry. */
@Singleton
class GrpcTls {

    private static final String PROPERTY = "rate-limit.grpc.tls-configuration-name";

    private final TlsConfigurationRegistry registry;
    private final Optional<String> name;
    private final boolean own;

    GrpcTls(TlsConfigurationRegistry registry, GrpcConfig settings, Config config) {
        this.registry = registry;
        this.own = settings.tlsConfigurationName().isPresent();
        this.name = settings.tlsConfigurationName()
                .or(() -> config.getOptionalValue("quarkus.http.tls-configuration-name", String.class));
    }

    void validate(ConfigProblems problems) {
        if (own && configuration().filter(found -> found.getKeyStoreOptions() != null).isEmpty()) {
            problems.add(PROPERTY, name.orElseThrow(), "the name of a TLS configuration with a key store: set quarkus.tls."
                    + name.get() + ".key-store…");
        }
    }

    /** Returns whether the server is encrypted. */
    boolean isEnabled() {
        return configuration().isPresent();
    }

    /** Returns whether the configuration with this name is used. */
    boolean isNamed(String other) {
        return name.filter(other::equals).isPresent();
    }

    private Optional<TlsConfiguration> configuration() {
        return name.flatMap(registry::get).filter(found -> own || found.getKeyStoreOptions() != null);
    }

    void configure(HttpServerOptions options) {
        configuration().ifPresent(configuration -> {
            options.setSsl(true).setUseAlpn(true);
            var ssl = configuration.getSSLOptions();
            options.setKeyCertOptions(configuration.getKeyStoreOptions());
            options.setTrustOptions(configuration.getTrustStoreOptions());
            options.setEnabledSecureTransportProtocols(ssl.getEnabledSecureTransportProtocols());
            ssl.getEnabledCipherSuites().forEach(options::addEnabledCipherSuite);
            ssl.getCrlPaths().forEach(options::addCrlPath);
            ssl.getCrlValues().forEach(options::addCrlValue);
            options.setSslHandshakeTimeout(ssl.getSslHandshakeTimeout());
            options.setSslHandshakeTimeoutUnit(ssl.getSslHandshakeTimeoutUnit());
            if (configuration.getTrustStoreOptions() != null) {
                options.setClientAuth(ClientAuth.REQUIRED);
            }
        });
    }

    /** Returns the options with renewed certificates. */
    SSLOptions options() {
        var configuration = configuration().orElseThrow();
        return configuration.getSSLOptions().setKeyCertOptions(configuration.getKeyStoreOptions())
                .setTrustOptions(configuration.getTrustStoreOptions());
    }
}
