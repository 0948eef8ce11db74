package dev.sluice.llm.protocol;

import java.util.regex.Pattern;

/**
 * What a request asks of a provider. Paths are compared as they came: one that servers may read differently (double
 * slashes, dots, percent-encoding) is unknown.
 *
 * @param model where the path names it (calls of Gemini); otherwise empty
 * @param streaming whether the path says so (calls of Gemini); with the others the body does
 */
public record ProviderOperation(Kind kind, Shape shape, String model, boolean streaming) {

    /** What it costs. */
    public enum Kind {
        /** Spends tokens. */
        CALL,
        /** Spends none: lists models or counts tokens. */
        FREE,
        /** Nothing that is known here: whether it may pass, and at what price, is for others to say. */
        UNKNOWN
    }

    /** How the bodies are built. */
    public enum Shape {
        CHAT, RESPONSES, EMBEDDINGS, MESSAGES, GENERATE, OTHER
    }

    private static final ProviderOperation FREE = new ProviderOperation(Kind.FREE, Shape.OTHER, "", false);
    private static final ProviderOperation UNKNOWN = new ProviderOperation(Kind.UNKNOWN, Shape.OTHER, "", false);

    private static final String GEMINI_MODELS = "/models/";

    /** OpenAI's tuned models have colons in their names. */
    private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._:-]{0,255}");
    private static final Pattern GEMINI_MODEL = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,255}");
    private static final Pattern ESCAPE = Pattern.compile("%([2-7][0-9A-Fa-f])");

    /** @param path behind the gateway's prefix, as it came and without the query: {@code /v1/chat/completions} */
    public static ProviderOperation of(Provider provider, String method, String path) {
        return switch (method) {
            case "GET" -> isModelListing(provider, path) ? FREE : UNKNOWN;
            case "POST" -> switch (provider) {
                case OPENAI -> openAi(path);
                case ANTHROPIC -> anthropic(path);
                case GEMINI -> gemini(path);
            };
            default -> UNKNOWN;
        };
    }

    private static boolean isModelListing(Provider provider, String path) {
        var version = provider.version(path);
        var listPath = (version == null ? provider.version() : version) + "/models";
        if (path.equals(listPath)) {
            return true;
        }
        if (!path.startsWith(listPath + "/")) {
            return false;
        }
        var name = path.substring(listPath.length() + 1);
        return provider == Provider.GEMINI ? !geminiModel(name).isEmpty() : isModelName(MODEL, name);
    }

    private static ProviderOperation openAi(String path) {
        return switch (path) {
            case "/v1/chat/completions" -> call(Shape.CHAT);
            case "/v1/responses", "/v1/responses/compact" -> call(Shape.RESPONSES);
            case "/v1/embeddings" -> call(Shape.EMBEDDINGS);
            case "/v1/responses/input_tokens" -> FREE;
            default -> UNKNOWN;
        };
    }

    private static ProviderOperation anthropic(String path) {
        return switch (path) {
            case "/v1/messages" -> call(Shape.MESSAGES);
            case "/v1/messages/count_tokens" -> FREE;
            default -> UNKNOWN;
        };
    }

    private static ProviderOperation gemini(String path) {
        var version = Provider.GEMINI.version(path);
        var unversioned = version == null ? path : path.substring(version.length());
        int colon = unversioned.indexOf(':');
        if (version == null || colon < 0 || !unversioned.startsWith(GEMINI_MODELS) || colon < GEMINI_MODELS.length()) {
            return UNKNOWN;
        }
        var model = geminiModel(unversioned.substring(GEMINI_MODELS.length(), colon));
        if (model.isEmpty()) {
            return UNKNOWN;
        }
        return switch (unversioned.substring(colon + 1)) {
            case "generateContent" -> new ProviderOperation(Kind.CALL, Shape.GENERATE, model, false);
            case "streamGenerateContent" -> new ProviderOperation(Kind.CALL, Shape.GENERATE, model, true);
            case "embedContent", "batchEmbedContents" -> new ProviderOperation(Kind.CALL, Shape.EMBEDDINGS, model, false);
            case "countTokens" -> FREE;
            default -> UNKNOWN;
        };
    }

    /** The model's name decoded; empty where it is none, or would part the path elsewhere once decoded. */
    private static String geminiModel(String raw) {
        var name = ESCAPE.matcher(raw)
                .replaceAll(escape -> String.valueOf((char) Integer.parseInt(escape.group(1), 16))
                        .replaceAll("[^A-Za-z0-9._-]", "%"));
        return isModelName(GEMINI_MODEL, name) ? name : "";
    }

    private static boolean isModelName(Pattern pattern, String name) {
        return pattern.matcher(name).matches() && !name.contains("..");
    }

    private static ProviderOperation call(Shape shape) {
        return new ProviderOperation(Kind.CALL, shape, "", false);
    }
}
