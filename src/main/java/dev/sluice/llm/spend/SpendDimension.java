package dev.sluice.llm.spend;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Locale;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.ledger.SpendRow;

/** Dimension by which spend is grouped and filtered. */
public enum SpendDimension {
    /** Name of the user. */
    USER(row -> row.owner().user()),
    /** Name of the team. */
    TEAM(row -> row.owner().team()),
    /** Name of the organisation. */
    ORG(row -> row.owner().org()),
    /** Id of the stored key. */
    KEY(row -> row.owner().key()),
    /** Id of the provider. */
    PROVIDER(SpendRow::provider),
    /** Name of the model. */
    MODEL(SpendRow::model),
    /** Start of the hour, in UTC. */
    HOUR(row -> Instant.EPOCH.plus(Duration.ofHours(row.hour())).toString()),
    /** Day, in UTC. */
    DAY(row -> LocalDate.ofEpochDay(Math.floorDiv(row.hour(), 24L)).toString());

    private final Function<SpendRow, @Nullable String> value;

    SpendDimension(Function<SpendRow, @Nullable String> value) {
        this.value = value;
    }

    /** Returns the name in parameters and in responses, in lower case. */
    public String field() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Nullable
    String of(SpendRow row) {
        return value.apply(row);
    }
}
