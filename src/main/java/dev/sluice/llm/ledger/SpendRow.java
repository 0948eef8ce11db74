package dev.sluice.llm.ledger;

import dev.sluice.identity.chain.ModelPattern;

/**
 * Usage of an owner with one model in one hour, or in one day.
 *
 * @param hour number of the hour; of a day, its first hour
 * @param owner the owner of the calls
 * @param provider the provider's id
 * @param model the model's name, {@linkplain ModelPattern#normalize normalized} also if it was stored by an earlier version
 * @param totals the usage, without its parts
 */
public record SpendRow(long hour, CallOwner owner, String provider, String model, UsageTotals totals) {

    public SpendRow {
        model = ModelPattern.normalize(model);
    }
}
