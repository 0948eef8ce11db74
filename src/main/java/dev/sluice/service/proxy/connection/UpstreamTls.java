package dev.sluice.service.proxy.connection;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import io.quarkus.tls.CertificateUpdatedEvent;
import io.quarkus.tls.TlsConfigurationRegistry;
import io.quarkus.tls.runtime.config.TlsConfigUtils;
import io.vertx.core.http.HttpClientOptions;

/** TLS settings of connections to upstreams: those of a named configuration in Quarkus's TLS registry. */
@ApplicationScoped
public class UpstreamTls {

    private final TlsConfigurationRegistry registry;
    private final Map<String, HttpClientOptions> loaded = new ConcurrentHashMap<>();

    UpstreamTls(TlsConfigurationRegistry registry) {
        this.registry = registry;
    }

    /**
     * Returns a source of options with the trust store and the client certificate of a configuration; those of the JVM if it has no
     * name. The source returns another object after the registry has reloaded the certificates.
     */
    public Supplier<HttpClientOptions> options(Optional<String> name) {
        var defaults = new HttpClientOptions();
        return () -> name.isEmpty() ? defaults : loaded.computeIfAbsent(name.get(), this::load);
    }

    private HttpClientOptions load(String name) {
        var options = new HttpClientOptions();
        registry.get(name).ifPresent(configuration -> TlsConfigUtils.configure(options, configuration));
        return options;
    }

    void onUpdate(@Observes CertificateUpdatedEvent event) {
        loaded.remove(event.name());
    }

    /** Reports a name of which the registry has no configuration. */
    public void validate(ConfigProblems problems, String property, Optional<String> name) {
        if (name.isPresent() && registry.get(name.get()).isEmpty()) {
            problems.add(property, name.get(), "the name of a TLS configuration: set quarkus.tls." + name.get()
                    + ".trust-store… or .key-store…");
        }
    }
}
