package dev.sluice.llm.estimate;

/** Type of a provider's API, which determines how a request is read and what its parts cost. */
public enum Dialect {

    OPENAI, ANTHROPIC, GEMINI;

    /** Models of Anthropic before the tokenizer that makes about 30 percent more tokens of a text. */
    private static final ModelTable<Boolean> EARLIER_CLAUDE = ModelTable.<Boolean>builder().add("claude-2", true)
            .add("claude-3", true).add("claude-instant", true).add("claude-haiku-4", true).add("claude-sonnet-4", true)
            .add("claude-opus-4-0", true).add("claude-opus-4-1", true).add("claude-opus-4-2025", true)
            .add("claude-opus-4-5", true).add("claude-opus-4-6", true).add("claude-opus-4@", true).build(false);

    /** 16 percent more tokens than OpenAI's on English prose, 21 to 30 percent more on mathematics and code. */
    private static final double CLAUDE = 1.2;
    private static final double NEW_CLAUDE_TOKENIZER = 1.3;

    /**
     * Returns how many tokens a model makes of a text of which {@code o200k_base} makes one. Gemini's tokenizer, with about four
     * characters to a token, is like it.
     *
     * @param model the model's name; empty if it is not known
     * @return 1 to 1.56
     * @see <a href="https://docs.claude.com/en/docs/build-with-claude/token-counting">Anthropic: token counting</a>, on the
     * tokenizer from Opus 4.7 on
     * @see <a href="https://venturebeat.com/ai/hidden-costs-in-ai-deployment-why-claude-models-may-be-20-30-more-expensive-than-gpt-in-enterprise-settings">
     * VentureBeat: comparison with GPT-4o</a>
     * @see <a href="https://ai.google.dev/gemini-api/docs/tokens">Gemini: tokens</a>
     */
    public double textFactor(String model) {
        if (this != ANTHROPIC) {
            return 1;
        }
        return EARLIER_CLAUDE.find(model) ? CLAUDE : CLAUDE * NEW_CLAUDE_TOKENIZER;
    }
}
