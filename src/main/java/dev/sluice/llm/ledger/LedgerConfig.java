package dev.sluice.llm.ledger;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Configuration of the usage ledger. */
@ConfigMapping(prefix = "rate-limit.llm.ledger")
public interface LedgerConfig {

    /** Maximum number of entries (one per user, model and hour) that are buffered for Redis; further ones are dropped. */
    @WithDefault("100000")
    int buffer();

    /** Maximum number of identifiers for which callers without a token may record usage, per hour, address and instance. */
    @WithDefault("1000")
    int anonymousIdentifiers();
}
