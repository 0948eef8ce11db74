package dev.sluice.service;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

import dev.sluice.api.DecisionMode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesFileConfig;
import dev.sluice.engine.StoreConfig;
import dev.sluice.engine.StoreStatus;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.redis.RedisProvider;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.auth.JwtOnlyMechanism;
import dev.sluice.service.console.ConsoleRoutes;
import dev.sluice.service.gateway.ApiUpstream;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.StartupEvent;

/** Logs at startup what runs, what it serves, and how to try it, in one line each. */
@ApplicationScoped
class StartupSummary {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private static final int MAX_PORT = 65535;

    /** Ports as configured; 0 for any free one. */
    private record Ports(int http, int management) {
    }

    void validatePorts(@Observes ConfigProblems problems, Config config) {
        for (var property : List.of("quarkus.http.port", "quarkus.management.port")) {
            int port = port(config, property, 0);
            if (port < 0 || port > MAX_PORT) {
                problems.add(property, Integer.toString(port), "1 to 65535, or 0 for any free port");
            }
        }
    }

    void report(@Observes @Priority(3000) StartupEvent started, StoreConfig windows, StoreStatus store, CurrentPolicy policy,
            EndpointAuthorization authorization, ApiKeyRegistry keys, JwtOnlyMechanism jwt, ApiUpstream upstream,
            LlmConfig llm, Providers providers, CurrentLlmPolicy llmPolicy, RulesFileConfig file, Config config,
            RedisProvider redis, ConsoleRoutes console) {
        var limits = new ArrayList<String>();
        limits.add(windows.enabled() ? windows.dryRun() ? "dry run: nothing is denied" : "limiting" : "limiting is off");
        limits.add(storeDescription(store.mode(), redis));
        limits.add(policy.rules().size() + " rules, tiers " + String.join(",", policy.tiers()) + ", default "
                + policy.defaultRate(policy.tiers().get(0))
                + file.file().filter(name -> !name.isBlank()).map(name -> ", from " + name + " too").orElse(""));
        limits.add(
                "callers by " + (jwt.configured() ? "JWT, " : "") + (keys.hasKeys() ? "API key (" + keys.count() + "), " : "")
                        + "address");
        LOG.info("Sluice: " + String.join("; ", limits));

        var endpoints = new ArrayList<String>();
        endpoints.add("/v1/check " + authorization.describeDecisionAccess());
        endpoints.add(upstream.url().map(url -> "upstream " + url + url.path()).orElse("no upstream (UPSTREAM_URL)"));
        var enabled = providers.all().stream().filter(provider -> isEnabled(llm.of(provider)) || providers.isKeyless(provider))
                .map(provider -> provider.id() + ' '
                        + (isEnabled(llm.of(provider)) ? keySource(llm.of(provider)) : "without a key") + " ("
                        + llmPolicy.describeLimits(provider)
                        + ')')
                .collect(Collectors.joining(", "));
        endpoints.add(enabled.isEmpty() ? "no LLM provider (RATE_LIMIT_LLM_OPENAI_API_KEY, …)" : "LLM: " + enabled);
        endpoints.add("admin " + (authorization.isAdminEnabled() ? "with its token" : "disabled (RATE_LIMIT_ADMIN_TOKEN)"));
        LOG.info("Serves: " + String.join("; ", endpoints));

        var ports = new Ports(port(config, "quarkus.http.port", 8080), port(config, "quarkus.management.port", 9000));
        if (ports.http() > 0) {
            LOG.infof("Try it: %s; health http://localhost:%d/q/health; API http://localhost:%d/q/openapi",
                    example(authorization, upstream, "http://localhost:" + ports.http()), ports.management(), ports.http());
            if (console.isEnabled()) {
                LOG.infof("Console: http://localhost:%d%s%s", ports.http(), ConsoleRoutes.PATH,
                        authorization.isAdminEnabled() ? "" : " (set RATE_LIMIT_ADMIN_TOKEN to sign in)");
            }
            if (LaunchMode.current() == LaunchMode.DEVELOPMENT) {
                LOG.infof(
                        "Dev mode: sample http://localhost:%1$d/api/v1/campaigns; Swagger UI http://localhost:%1$d/q/swagger-ui",
                        ports.http());
            }
        }
    }

    private static int port(Config config, String property, int defaultPort) {
        return config.getOptionalValue(property, Integer.class).orElse(defaultPort);
    }

    /** Returns a command whose response shows a falling {@code X-RateLimit-Remaining}. */
    private static String example(EndpointAuthorization authorization, ApiUpstream upstream, String url) {
        if (upstream.url().isPresent()) {
            return "curl -i " + url + '/';
        }
        return "curl -i " + (authorization.isTokenRequired() ? "-H \"Authorization: Bearer $RATE_LIMIT_API_TOKEN\" " : "")
                + "-d '{\"identifier\":\"me\",\"resource\":\"demo\",\"rate\":\"5/minute\"}' " + url + "/v1/check";
    }

    private static boolean hasKey(LlmConfig.ProviderConfig provider) {
        return provider.apiKey().filter(text -> !text.isBlank()).isPresent();
    }

    private static boolean isEnabled(LlmConfig.ProviderConfig provider) {
        return hasKey(provider) || provider.passThrough();
    }

    private static String keySource(LlmConfig.ProviderConfig provider) {
        return !hasKey(provider)
                ? "with the caller's key"
                : provider.passThrough() ? "with Sluice's or the caller's key" : "with Sluice's key";
    }

    private static String storeDescription(DecisionMode mode, RedisProvider redis) {
        return switch (mode) {
            case REDIS -> "windows in Redis at " + String.join(", ", redis.addresses());
            case MEMORY -> "windows in memory (REDIS_ENABLED=false)";
            default -> "no Redis at " + String.join(", ", redis.addresses()) + ", fallback " + mode.value()
                    + " in force until it responds (REDIS_HOST; REDIS_ENABLED=false to do without)";
        };
    }
}
