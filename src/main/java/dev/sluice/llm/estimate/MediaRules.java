package dev.sluice.llm.estimate;

/**
 * Tokens of media by provider and model, as published; where nothing is, as of a similar model.
 *
 * @param image tokens of a picture
 * @param perPage tokens of a page of a PDF, its text and its picture
 * @param perSecond tokens of a second of audio
 */
record MediaRules(ImageRule image, int perPage, int perSecond) {

    private static final ImageRule GPT_4O = new ImageRule.Tiles(85, 170);
    private static final int OPENAI_PAGE = 1500;
    private static final int OPENAI_SECOND = 10;

    private static final ModelTable<MediaRules> OPENAI = ModelTable.<MediaRules>builder()
            .add("gpt-4o-mini", openAi(new ImageRule.Tiles(2833, 5667)))
            .add("gpt-4.1-mini", openAi(new ImageRule.Patches(1536, 1.62)))
            .add("gpt-4.1-nano", openAi(new ImageRule.Patches(1536, 2.46)))
            .add("gpt-5", openAi(new ImageRule.Tiles(70, 140)))
            .add("gpt-5-mini", openAi(new ImageRule.Patches(1536, 1.62)))
            .add("gpt-5-nano", openAi(new ImageRule.Patches(1536, 2.46)))
            .add("gpt-5.4-mini", openAi(new ImageRule.Patches(1536, 1.62)))
            .add("gpt-5.4-nano", openAi(new ImageRule.Patches(1536, 2.46)))
            .add("gpt-5.4", openAi(new ImageRule.Patches(2500, 1))).add("gpt-5.5", openAi(new ImageRule.Patches(2500, 1)))
            .add("gpt-5.6", openAi(new ImageRule.Patches(2500, 1))).add("gpt-6", openAi(new ImageRule.Patches(2500, 1)))
            .add("o1", openAi(new ImageRule.Tiles(75, 150))).add("o3", openAi(new ImageRule.Tiles(75, 150)))
            .add("o4-mini", openAi(new ImageRule.Patches(1536, 1.72)))
            .add("computer-use", openAi(new ImageRule.Tiles(65, 129))).build(openAi(GPT_4O));

    private static final MediaRules CLAUDE = new MediaRules(new ImageRule.Pixels(1568, 1600), 3000, 10);
    private static final MediaRules CLAUDE_HIGH_RESOLUTION = new MediaRules(new ImageRule.Pixels(2576, 4784), 3000, 10);
    private static final ModelTable<MediaRules> ANTHROPIC = ModelTable.<MediaRules>builder().add("claude-2", CLAUDE)
            .add("claude-3", CLAUDE).add("claude-haiku", CLAUDE).add("claude-sonnet-4", CLAUDE).add("claude-opus-4", CLAUDE)
            .add("claude-opus-4-7", CLAUDE_HIGH_RESOLUTION).add("claude-opus-4-8", CLAUDE_HIGH_RESOLUTION)
            .build(CLAUDE_HIGH_RESOLUTION);

    private static final ModelTable<MediaRules> GEMINI = ModelTable.<MediaRules>builder()
            .add("gemini-1", new MediaRules(new ImageRule.Fixed(258, 258), 258, 32))
            .add("gemini-2", new MediaRules(new ImageRule.LargeTiles(258), 258, 32))
            .build(new MediaRules(new ImageRule.Fixed(1120, 280), 560, 32));

    private static MediaRules openAi(ImageRule image) {
        return new MediaRules(image, OPENAI_PAGE, OPENAI_SECOND);
    }

    /** @param model the model's name; empty if it is not known */
    static MediaRules of(Dialect dialect, String model) {
        return switch (dialect) {
            case OPENAI -> OPENAI.find(model);
            case ANTHROPIC -> ANTHROPIC.find(model);
            case GEMINI -> GEMINI.find(model);
        };
    }
}
