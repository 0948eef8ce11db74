package dev.sluice.llm.protocol;

import java.util.regex.Pattern;

/**
 * Operation of a provider's API, determined by a request's method and path. Paths are compared as received: a path that
 * servers may interpret differently (double slashes, dots, percent-encoding) is unknown.
 *
 * @param kind whether the operation is limited
 * @param shape format of the request and the response
 * @param model the model named in the path (Gemini); otherwise empty
 * @param streaming whether the path requests a stream (Gemini); for the other providers, the body does
 *
 * @see <a href="https://platform.openai.com/docs/api-reference">OpenAI: API reference</a>
 * @see <a href="https://docs.anthropic.com/en/api/overview">Anthropic: API reference</a>
 * @see <a href="https://ai.google.dev/api">Gemini: API reference</a>
 */
public record ProviderOperation(Kind kind, Shape shape, String model, boolean streaming) {

    /** Kind of an operation: decides whether it is limited. */
    public enum Kind {
        /** Uses tokens: limited and booked. */
        CALL,
        /** Uses no tokens: lists models or counts tokens. */
        FREE,
        /** Reads, cancels or deletes a response that the provider has stored for a call: uses no tokens, but may report those of the call. */
        STORED,
        /** Not known; the caller must decide how to treat it. */
        UNKNOWN
    }

    /** Format of an operation's request and response. */
    public enum Shape {
        CHAT,
        /** OpenAI's completions of a prompt, which preceded chats. */
        COMPLETION, RESPONSES, EMBEDDINGS,
        /** OpenAI's generation and edits of images. */
        IMAGES,
        /** OpenAI's speech from text: the response is audio. */
        SPEECH,
        /** OpenAI's text from speech: the request contains audio. */
        TRANSCRIPTION,
        /** Embeddings in OpenAI's form, of another provider. */
        OPENAI_EMBEDDINGS, MESSAGES, GENERATE,
        /** Images of Gemini's Imagen models. */
        PREDICT,
        /** OpenAI's moderation of texts and images. */
        MODERATION, OTHER;

        /** Returns whether request and response have OpenAI's form, whatever the provider. */
        boolean isOpenAiForm() {
            return this == CHAT || this == OPENAI_EMBEDDINGS;
        }

        /** Returns whether Sluice's key is used for the operation only where its path is opened. */
        public boolean isRestricted() {
            return this == PREDICT;
        }

        /** Returns whether the usage of a stream must be requested by {@code stream_options.include_usage}. */
        public boolean requestsUsage() {
            return this == CHAT || this == COMPLETION;
        }

        /** Returns whether images or audio, which may be billed by the piece, are in the request or the response. */
        public boolean isMedia() {
            return this == IMAGES || this == SPEECH || this == TRANSCRIPTION;
        }
    }

    private static final ProviderOperation FREE = new ProviderOperation(Kind.FREE, Shape.OTHER, "", false);
    /** Counts the tokens of a request, which may continue a stored response. */
    private static final ProviderOperation RESPONSE_TOKENS = new ProviderOperation(Kind.FREE, Shape.RESPONSES, "", false);
    private static final ProviderOperation MODERATION = new ProviderOperation(Kind.FREE, Shape.MODERATION, "", false);
    private static final ProviderOperation STORED = new ProviderOperation(Kind.STORED, Shape.RESPONSES, "", false);
    private static final ProviderOperation UNKNOWN = new ProviderOperation(Kind.UNKNOWN, Shape.OTHER, "", false);

    /** Prefix of Gemini's API in OpenAI's form. */
    public static final String GEMINI_OPENAI_FORM = "/v1beta/openai";
    private static final String GEMINI_MODELS = "/models/";

    /** Name of an OpenAI or Anthropic model. Fine-tuned models of OpenAI have colons in their names. */
    private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._:-]{0,255}");
    private static final Pattern GEMINI_MODEL = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,255}");
    private static final String RESPONSES = "/v1/responses/";
    /** Id of a response, and what of it is requested. Those of OpenAI begin with {@code resp_}, those of xAI are UUIDs. */
    private static final Pattern STORED_RESPONSE = Pattern
            .compile(RESPONSES
                    + "(resp_[A-Za-z0-9_-]{1,250}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/cancel|/input_items)?");
    private static final Pattern ESCAPE = Pattern.compile("%([2-7][0-9A-Fa-f])");

    /**
     * Returns the model of a request to OpenAI that names none; empty if it is not known, or there is none.
     *
     * @see <a href="https://platform.openai.com/docs/api-reference/moderations/create">OpenAI: moderations</a>
     */
    public String defaultModel() {
        return shape == Shape.MODERATION ? "omni-moderation-latest" : "";
    }

    /**
     * Returns the operation of a request.
     *
     * @param provider the provider that is called
     * @param method the HTTP method
     * @param path the path after the gateway's prefix, as received and without the query: {@code /v1/chat/completions}
     * @return the operation; of kind {@link Kind#UNKNOWN} if the request matches none
     */
    public static ProviderOperation of(Provider provider, String method, String path) {
        if (isStoredResponse(provider, method, path)) {
            return STORED;
        }
        return switch (method) {
            case "GET", "HEAD" -> isModelListing(provider, path) ? FREE : UNKNOWN;
            case "POST" -> switch (provider.type()) {
                case OPENAI -> openAi(path);
                case ANTHROPIC -> anthropic(path);
                case GEMINI -> gemini(path);
            };
            default -> UNKNOWN;
        };
    }

    private static boolean isStoredResponse(Provider provider, String method, String path) {
        var matcher = provider.is(ProviderType.OPENAI) && path.startsWith(RESPONSES) ? STORED_RESPONSE.matcher(path) : null;
        if (matcher == null || !matcher.matches()) {
            return false;
        }
        var action = matcher.group(2);
        return action == null
                ? method.equals("GET") || method.equals("DELETE")
                : method.equals(action.equals("/cancel") ? "POST" : "GET");
    }

    /**
     * Returns the id of the response that an operation of the kind {@link Kind#STORED} concerns.
     *
     * @param path the path from the version on
     */
    public static String storedResponse(String path) {
        int end = path.indexOf('/', RESPONSES.length());
        return path.substring(RESPONSES.length(), end < 0 ? path.length() : end);
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
        return provider.is(ProviderType.GEMINI) ? !geminiModel(name).isEmpty() : isModelName(MODEL, name);
    }

    private static ProviderOperation openAi(String path) {
        return switch (path) {
            case "/v1/chat/completions" -> call(Shape.CHAT);
            case "/v1/completions" -> call(Shape.COMPLETION);
            case "/v1/images/generations", "/v1/images/edits" -> call(Shape.IMAGES);
            case "/v1/audio/speech" -> call(Shape.SPEECH);
            case "/v1/audio/transcriptions", "/v1/audio/translations" -> call(Shape.TRANSCRIPTION);
            case "/v1/moderations" -> MODERATION;
            case "/v1/responses", "/v1/responses/compact" -> call(Shape.RESPONSES);
            case "/v1/embeddings" -> call(Shape.EMBEDDINGS);
            case "/v1/responses/input_tokens" -> RESPONSE_TOKENS;
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
        switch (path) {
            case GEMINI_OPENAI_FORM + "/chat/completions" :
                return call(Shape.CHAT);
            case GEMINI_OPENAI_FORM + "/embeddings" :
                return call(Shape.OPENAI_EMBEDDINGS);
            default :
        }
        var version = ProviderType.GEMINI.version(path);
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
            case "predict" -> new ProviderOperation(Kind.CALL, Shape.PREDICT, model, false);
            case "countTokens" -> new ProviderOperation(Kind.FREE, Shape.OTHER, model, false);
            default -> UNKNOWN;
        };
    }

    /** Returns the decoded name of a model; empty if it is invalid, or would change the path's structure once decoded. */
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
