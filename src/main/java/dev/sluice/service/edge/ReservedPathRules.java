package dev.sluice.service.edge;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.config.RulesChanged;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;
import io.quarkus.runtime.StartupEvent;

/** Warns of rules for Sluice's own endpoints, which rules do not govern. */
@ApplicationScoped
class ReservedPathRules {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final CurrentPolicy policy;
    private final ReservedPaths reserved;

    ReservedPathRules(CurrentPolicy policy, ReservedPaths reserved) {
        this.reserved = reserved;
        this.policy = policy;
    }

    void atStart(@Observes @Priority(3000) StartupEvent started) {
        policy.rules().forEach(this::check);
    }

    void onRulesChanged(@Observes @Priority(3000) RulesChanged change) {
        change.onAccepted(() -> policy.rules().forEach(this::check));
    }

    private void check(LimitRule rule) {
        var endpoint = rule.resource().substring(CurrentPolicy.RESOURCE_PREFIX.length());
        if (reserved.contains(endpoint.substring(endpoint.indexOf('/')))) {
            LOG.warnf(
                    "Rule has no effect, because its path is an endpoint of Sluice: endpoint=%s; RATE_LIMIT_CHECK_RATE limits checks,"
                            + " and rate-limit.llm.<provider>.requests.<tier> limits LLM calls",
                    endpoint);
        }
    }
}
