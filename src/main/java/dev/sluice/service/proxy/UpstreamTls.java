package dev.sluice.service.proxy;

import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.config.ConfigProblems;
import io.quarkus.tls.TlsConfigurationRegistry;
import io.quarkus.tls.runtime.config.TlsConfigUtils;
import io.vertx.core.http.HttpClientOptions;

/** TLS settings of connections to upstreams: those of a named configuration in Quarkus's TLS registry. */
@ApplicationScoped
public class UpstreamTls {

    private final TlsConfigurationRegistry registry;

    UpstreamTls(TlsConfigurationRegistry registry) {
        this.registry = registry;
    }

    /** Returns options with the trust store and the client certificate of a configuration; the defaults if it has no name. */
    public HttpClientOptions options(Optional<String> name) {
        var options = new HttpClientOptions();
        name.flatMap(registry::get).ifPresent(configuration -> TlsConfigUtils.configure(options, configuration));
        return options;
    }

    /** Reports a name of which the registry has no configuration. */
    public void validate(ConfigProblems problems, String property, Optional<String> name) {
        if (name.isPresent() && registry.get(name.get()).isEmpty()) {
            problems.add(property, name.get(), "the name of a TLS configuration: set quarkus.tls." + name.get()
                    + ".trust-store… or .key-store…");
        }
    }
}
