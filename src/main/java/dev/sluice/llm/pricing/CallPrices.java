package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.Map;

/**
 * Prices of a model's calls beside those of tokens.
 *
 * @param webSearch US dollars per 1,000 web searches
 * @param factors what the prices of tokens are multiplied by: {@code fast} in Anthropic's fast mode, {@code us} if the call must be
 * processed there
 * @param units prices of what is billed instead of tokens
 */
record CallPrices(BigDecimal webSearch, Map<String, BigDecimal> factors, UnitPrices units) {

    static final String FAST = "fast";
    /** Price of the web search tools of OpenAI and Anthropic, for models of which none is listed. */
    static final BigDecimal USUAL_WEB_SEARCH = BigDecimal.TEN;
    static final CallPrices USUAL = new CallPrices(USUAL_WEB_SEARCH, Map.of(), UnitPrices.NONE);
}
