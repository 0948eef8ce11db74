package dev.sluice.llm.ledger;

/**
 * Usage of an owner with one model in one hour, or in one day.
 *
 * @param hour number of the hour; of a day, its first hour
 * @param owner the owner of the calls
 * @param provider the provider's id
 * @param model the model's name
 * @param totals the usage, without its parts
 */
public record SpendRow(long hour, CallOwner owner, String provider, String model, UsageTotals totals) {
}
