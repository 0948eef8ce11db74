package dev.sluice.llm.estimate;

/**
 * Published rule for the tokens of a picture. Stateless.
 *
 * @see <a href="https://platform.openai.com/docs/guides/images-vision#calculating-costs">OpenAI: calculating costs</a>
 * @see <a href="https://docs.claude.com/en/docs/build-with-claude/vision#calculate-image-costs">Anthropic: calculate image
 * costs</a>
 * @see <a href="https://ai.google.dev/gemini-api/docs/tokens">Gemini: tokens</a>
 */
interface ImageRule {

    /** @param low whether the request asks for less detail */
    long tokens(int width, int height, boolean low);

    /**
     * Tiles of 512 pixels, after the picture has been fitted into 2048 pixels and its shorter side to 768.
     *
     * @param base tokens of a picture, and of one of low detail
     */
    record Tiles(int base, int perTile) implements ImageRule {

        @Override
        public long tokens(int width, int height, boolean low) {
            if (low) {
                return base;
            }
            double scale = Math.min(1, 2048.0 / Math.max(width, height));
            scale = Math.min(scale, 768.0 / Math.min(width, height));
            return base + (long) perTile * ceil(width * scale, 512) * ceil(height * scale, 512);
        }
    }

    /** Patches of 32 pixels, of as many as a budget allows. */
    record Patches(int budget, double factor) implements ImageRule {

        private static final int LOW = 256;

        @Override
        public long tokens(int width, int height, boolean low) {
            long patches = ceil(width, 32) * ceil(height, 32);
            return (long) Math.ceil(Math.min(patches, low ? Math.min(budget, LOW) : budget) * factor);
        }
    }

    /** Pixels, after the longer side has been fitted. */
    record Pixels(int maxSide, int maxTokens) implements ImageRule {

        private static final int PER_TOKEN = 750;

        @Override
        public long tokens(int width, int height, boolean low) {
            double scale = Math.min(1, (double) maxSide / Math.max(width, height));
            return Math.max(1, Math.min(maxTokens, (long) Math.ceil(scale * width * scale * height / PER_TOKEN)));
        }
    }

    /** A picture of up to 384 pixels counts once, a larger one for each tile of 768 pixels. */
    record LargeTiles(int perTile) implements ImageRule {

        @Override
        public long tokens(int width, int height, boolean low) {
            return low || width <= 384 && height <= 384 ? perTile : perTile * ceil(width, 768) * ceil(height, 768);
        }
    }

    /** A number that does not depend on the size. */
    record Fixed(int high, int lowDetail) implements ImageRule {

        @Override
        public long tokens(int width, int height, boolean low) {
            return low ? lowDetail : high;
        }
    }

    private static long ceil(double length, int unit) {
        return (long) Math.ceil(length / unit - 1e-9);
    }
}
