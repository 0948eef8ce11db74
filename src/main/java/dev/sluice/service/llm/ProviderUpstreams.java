package dev.sluice.service.llm;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

import jakarta.annotation.PreDestroy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderBaseUrl;
import dev.sluice.service.proxy.ExchangeListener;
import dev.sluice.service.proxy.ProxyExchange;
import dev.sluice.service.proxy.Upstream;
import dev.sluice.service.proxy.UpstreamRequest;
import dev.sluice.service.proxy.WebSocketTunnels;
import dev.sluice.service.proxy.connection.UpstreamOptions;
import dev.sluice.service.proxy.connection.UpstreamTls;
import dev.sluice.service.proxy.connection.UpstreamUrl;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;

/** The providers' APIs as upstreams. */
@ApplicationScoped
public class ProviderUpstreams {

    private static final int MAX_STREAMS = 10_000;

    private final LlmConfig settings;
    private final Providers providers;
    private final UpstreamTls tls;
    private final Map<Provider, Upstream> upstreams = new HashMap<>();
    private final Map<Provider, ProviderBaseUrl> baseUrls = new HashMap<>();

    ProviderUpstreams(LlmConfig settings, Providers providers, UpstreamTls tls, Vertx vertx, MeterRegistry registry,
            WebSocketTunnels tunnels) {
        this.settings = settings;
        this.providers = providers;
        this.tls = tls;
        for (var provider : providers.all()) {
            var url = configuredUrl(provider).map(UpstreamUrl::parse)
                    .orElseGet(() -> UpstreamUrl.parse(provider.type().defaultBaseUrl()));
            baseUrls.put(provider, ProviderBaseUrl.of(provider.type(), url.path()));
            upstreams.put(provider,
                    new Upstream(vertx, provider.id(), url, options(settings.of(provider)),
                            tls.options(settings.of(provider).tlsConfigurationName()), registry, tunnels));
        }
    }

    private Optional<String> configuredUrl(Provider provider) {
        return settings.of(provider).baseUrl().map(String::strip).filter(text -> !text.isEmpty());
    }

    private UpstreamOptions options(LlmConfig.ProviderConfig provider) {
        var connectTimeout = provider.connectTimeout().orElse(settings.connectTimeout());
        var timeout = provider.timeout().orElse(settings.timeout());
        return new UpstreamOptions(connectTimeout, connectTimeout, timeout, timeout, timeout, timeout,
                Math.max(1, provider.maxConnections().orElse(settings.maxConnections())), MAX_STREAMS, false);
    }

    void validate(@Observes ConfigProblems problems) {
        for (var provider : providers.all()) {
            var property = "rate-limit.llm." + provider.id();
            configuredUrl(provider).filter(text -> UpstreamUrl.parse(text) == null)
                    .ifPresent(text -> problems.add(property + ".base-url", "(not shown)",
                            "http://host[:port][/path] or https://…, without user and query"));
            settings.of(provider).timeout()
                    .ifPresent(timeout -> problems.checkDuration(property + ".timeout", timeout));
            settings.of(provider).connectTimeout()
                    .ifPresent(timeout -> problems.checkDuration(property + ".connect-timeout", timeout));
            settings.of(provider).maxConnections().ifPresent(count -> {
                if (count < 1) {
                    problems.add(property + ".max-connections", Integer.toString(count), "1 or more");
                }
            });
            tls.validate(problems, property + ".tls-configuration-name", settings.of(provider).tlsConfigurationName());
        }
        if (settings.maxConnections() < 1) {
            problems.add("rate-limit.llm.max-connections", Integer.toString(settings.maxConnections()), "1 or more");
        }
        problems.checkDuration("rate-limit.llm.timeout", settings.timeout());
        problems.checkDuration("rate-limit.llm.connect-timeout", settings.connectTimeout());
        problems.checkDuration("rate-limit.llm.drain-timeout", settings.drainTimeout());
        problems.checkDuration("rate-limit.llm.body-timeout", settings.bodyTimeout());
        long body = settings.maxBodySize().asLongValue();
        if (body < 1 || body > Integer.MAX_VALUE / 2) {
            problems.add("rate-limit.llm.max-body-size", Long.toString(body), "1 to " + Integer.MAX_VALUE / 2 + " bytes");
        }
    }

    /**
     * Forwards a request to a provider.
     *
     * @param target path from the version on, with the query
     * @param body the body; null if that of the client is streamed
     */
    void forward(Provider provider, RoutingContext context, String target, MultiMap headers, Buffer body,
            ExchangeListener listener) {
        var upstream = upstreams.get(provider);
        ProxyExchange.forward(upstream, context,
                new UpstreamRequest(context.request().method(), baseUrls.get(provider).resolve(target), headers, false), body,
                listener);
    }

    /** Runs before the ledger is closed and Redis is disconnected. */
    void stop(@Observes @Priority(1) ShutdownEvent stopping) {
        Upstream.abortExchanges(upstreams.values());
    }

    @PreDestroy
    void close() {
        upstreams.values().forEach(Upstream::close);
    }
}
