package dev.sluice.llm.ledger;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the usage ledger: calls, tokens and cost. */
@ConfigMapping(prefix = "rate-limit.llm.ledger")
public interface LedgerConfig {

    /** Maximum number of entries (one per user, model and hour) that wait in memory for Redis; further ones are dropped. */
    @WithDefault("100000")
    int buffer();
}
