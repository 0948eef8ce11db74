package dev.sluice.service;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.stream.Collectors;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.api.DecisionMode;
import dev.sluice.config.RulesFileConfig;
import dev.sluice.engine.StoreConfig;
import dev.sluice.engine.StoreStatus;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.llm.limit.CurrentLlmPolicy;
import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.auth.JwtOnlyMechanism;
import dev.sluice.service.gateway.ApiUpstream;
import io.quarkus.runtime.StartupEvent;

/** Logs store, rules and endpoints in one line at startup. */
@ApplicationScoped
class StartupSummary {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    void report(@Observes @Priority(3000) StartupEvent started, StoreConfig windows, StoreStatus store, CurrentPolicy policy,
            EndpointAuthorization authorization, ApiKeyRegistry keys, JwtOnlyMechanism jwt, ApiUpstream upstream,
            LlmConfig llm,
            CurrentLlmPolicy llmPolicy, RulesFileConfig file) {
        var parts = new ArrayList<String>();
        parts.add(windows.enabled() ? windows.dryRun() ? "dry run: nothing is denied" : "limiting" : "limiting is off");
        parts.add(storeDescription(store.mode()));
        parts.add(policy.rules().size() + " rules, tiers " + String.join(",", policy.tiers()) + ", default "
                + policy.defaultRate(policy.tiers().get(0))
                + file.file().filter(name -> !name.isBlank()).map(name -> ", from " + name + " too").orElse(""));
        parts.add("callers by " + (jwt.configured() ? "JWT, " : "") + (keys.hasKeys() ? "API key (" + keys.count() + "), " : "")
                + "address");
        parts.add("/v1/check " + authorization.describeDecisionAccess());
        parts.add("admin " + (authorization.isAdminEnabled() ? "with its token" : "disabled (RATE_LIMIT_ADMIN_TOKEN)"));
        parts.add(upstream.url().map(url -> "upstream " + url + url.path()).orElse("no upstream (UPSTREAM_URL)"));
        parts.add("language models: " + Arrays.stream(Provider.values()).map(provider -> provider.id() + ' '
                + keySource(llm.of(provider)) + " (" + llmPolicy.describeLimits(provider) + ')')
                .collect(Collectors.joining(", ")));
        LOG.info("Sluice: " + String.join("; ", parts));
    }

    private static String keySource(LlmConfig.ProviderConfig provider) {
        boolean key = provider.apiKey().filter(text -> !text.isBlank()).isPresent();
        return key
                ? provider.passThrough() ? "with Sluice's or the caller's key" : "with Sluice's key"
                : provider.passThrough() ? "with the caller's key" : "disabled: no key";
    }

    private static String storeDescription(DecisionMode mode) {
        return switch (mode) {
            case REDIS -> "windows in Redis";
            case MEMORY -> "windows in memory";
            default -> "fallback " + mode.value() + " in force";
        };
    }
}
