package dev.sluice.startup;

import java.util.ArrayList;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.Rate;
import dev.sluice.config.RulesFileConfig;
import dev.sluice.engine.StoreConfig;
import dev.sluice.engine.StoreStatus;
import dev.sluice.interceptor.RateLimitedMethods;
import dev.sluice.llm.client.LlmMethods;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.redis.RedisProvider;
import io.quarkus.arc.properties.UnlessBuildProperty;
import io.quarkus.runtime.StartupEvent;

/**
 * Logs at the start of an application that it contains Sluice, where the windows are, and what is limited. Not in the service, which
 * has a summary of its own: it is told apart by the built-in rates, which only its settings switch on.
 */
@ApplicationScoped
@UnlessBuildProperty(name = "rate-limit.built-in-defaults", stringValue = "true", enableIfMissing = true)
class LibraryStartupReport {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    void report(@Observes @Priority(3000) StartupEvent started, StoreConfig settings, StoreStatus store, RedisProvider redis,
            CurrentPolicy policy, RulesFileConfig file, RateLimitedMethods methods, LlmMethods llmMethods) {
        if (!settings.enabled()) {
            LOG.info("Sluice limits nothing in this application: rate-limit.enabled=false");
            return;
        }
        var parts = new ArrayList<String>();
        parts.add("windows=" + windows(store.mode(), redis));
        parts.add("rules=" + policy.rules().size());
        var defaultRate = policy.defaultRate(policy.tiers().get(0));
        if (defaultRate != Rate.UNLIMITED) {
            parts.add("default=" + defaultRate);
        }
        file.file().filter(name -> !name.isBlank()).ifPresent(name -> parts.add("file=" + name));
        parts.add("@RateLimited methods=" + methods.count());
        parts.add("@LlmRateLimited methods=" + llmMethods.count());
        if (settings.dryRun()) {
            parts.add("dry-run=true: nothing is denied");
        }
        LOG.info("Sluice limits this application: " + String.join(", ", parts));
    }

    private static String windows(DecisionMode mode, RedisProvider redis) {
        if (mode == DecisionMode.MEMORY) {
            return "memory";
        }
        var servers = redis.addresses().isEmpty() ? "Redis" : "Redis at " + String.join(" ", redis.addresses());
        return mode == DecisionMode.REDIS ? servers : servers + " (unavailable; fallback " + mode.value() + ')';
    }
}
