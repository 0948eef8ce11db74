package dev.sluice.llm.policy;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeSet;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesFile;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.PriceList;
import dev.sluice.llm.pricing.PriceListing;
import dev.sluice.llm.pricing.PriceTable;
import dev.sluice.llm.pricing.load.PriceLists;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;

/**
 * Current LLM rules and prices: the configuration, overridden by the rules file and replaced whenever the file or the price list
 * changes. Thread-safe.
 */
@ApplicationScoped
public class CurrentLlmPolicy {

    private final LlmConfig config;
    private final CurrentPolicy policy;
    private final PriceLists priceLists;
    private volatile LlmPolicySnapshot current;
    private volatile PriceTable prices;

    CurrentLlmPolicy(LlmConfig config, CurrentPolicy policy, RulesFile file, PriceLists priceLists) {
        this.config = config;
        this.policy = policy;
        this.priceLists = priceLists;
        replace(new LlmPolicySnapshot(config, file.initialDocument(), policy.tiers(file.initialDocument())));
    }

    private synchronized void replace(LlmPolicySnapshot next) {
        current = next;
        prices = next.prices().withList(priceLists.current());
    }

    /** Runs on the thread that loads the list. */
    void onPriceListLoaded(@Observes PriceList list) {
        replacePrices();
    }

    private synchronized void replacePrices() {
        prices = current.prices().withList(priceLists.current());
    }

    /**
     * Returns the price of a model.
     *
     * @param provider the provider that is called
     * @param model the model as requested
     * @param day the day in UTC
     * @return the price; null if it has none
     */
    public ModelPrice price(Provider provider, String model, LocalDate day) {
        return current.names().price(prices, provider, model, day);
    }

    /**
     * Returns the prices that hold on a day: those of the settings and the rules file, of the price list, and the bundled ones.
     *
     * @param provider provider whose calls have the prices; null for all
     * @param day the day in UTC
     * @return the rows by provider and model, sorted
     */
    public List<PriceListing> prices(Provider provider, LocalDate day) {
        var lists = provider == null ? null : current.names().priceLists(provider);
        return prices.list(day).stream().filter(row -> lists == null || lists.contains(row.provider())).toList();
    }

    /**
     * Returns the price that the calls of a model have.
     *
     * @param provider the provider
     * @param model the model's name as requested
     * @param day the day in UTC
     * @return the row; empty if the model has no price
     */
    public Optional<PriceListing> describePrice(Provider provider, String model, LocalDate day) {
        return Optional.ofNullable(current.names().describe(prices, provider, model, day));
    }

    void validate(@Observes ConfigProblems problems) {
        problems.addAll(current.problems());
        if (priceLists.status().isEmpty()) { // a list that is loaded later may have any name
            validatePriceLists(problems);
        }
    }

    private void validatePriceLists(ConfigProblems problems) {
        var providers = new Providers(config);
        var known = new TreeSet<String>();
        prices.list(LocalDate.now(ZoneOffset.UTC)).forEach(row -> known.add(row.provider()));
        for (var provider : providers.all()) {
            providers.config(provider).priceList().map(String::strip)
                    .filter(list -> !list.equals(Providers.FREE) && !known.contains(list) && providers.find(list) == null)
                    .ifPresent(list -> problems.add("rate-limit.llm." + provider.id() + ".prices", list,
                            "free, or a provider that has prices: " + String.join(", ", known)));
        }
    }

    void onRulesChanged(@Observes RulesChanged change) {
        var next = new LlmPolicySnapshot(config, change.document(), policy.tiers(change.document()));
        change.addProblems(next.problems());
        change.onAccepted(() -> replace(next));
    }

    /** Returns the rules of requests, tokens and budgets, ordered by resource, with where they were set. */
    public SortedMap<LimitRule, String> rulesWithSources() {
        return current.rulesWithSources();
    }

    /**
     * Returns a consistent snapshot, tiers included. A decision must use one snapshot throughout.
     *
     * @return the snapshot
     */
    public LlmPolicySnapshot current() {
        return current;
    }

    /**
     * Returns which limits apply to a provider's calls, for humans.
     *
     * @param provider the provider
     * @return {@code requests, tokens, budget} or some of them; {@code unlimited} if there are none
     */
    public String describeLimits(Provider provider) {
        return current.describeLimits(provider);
    }

    /**
     * Returns the rule of a resource, whatever its unit.
     *
     * @param resource the resource's name, such as {@code llm:openai:tokens/gpt-4o}
     * @return the rule; null if there is none
     */
    public LimitRule rule(String resource) {
        return current.rule(resource);
    }
}
