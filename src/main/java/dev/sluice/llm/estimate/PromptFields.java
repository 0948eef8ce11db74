package dev.sluice.llm.estimate;

import java.util.Set;

/** Names of the fields of requests that determine what of them is part of a prompt, for all providers. */
final class PromptFields {

    /** Meaning of the values of an object or array. */
    enum Mode {
        DOCUMENT, CONFIG, IGNORED, TEXT, JSON, SCHEMA, PROPERTIES
    }

    /** Parameters of a call, on the top level. All other fields there are taken for a part of the prompt. */
    static final Set<String> PARAMETERS = Set.of("model", "stream", "stream_options", "n", "max_tokens",
            "max_completion_tokens",
            "max_output_tokens", "background", "service_tier", "serviceTier", "speed", "inference_geo", "user", "metadata",
            "store", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "previous_response_id", "conversation",
            "include", "temperature", "top_p", "top_k", "seed", "stop", "stop_sequences", "logprobs", "top_logprobs",
            "logit_bias", "presence_penalty", "frequency_penalty", "modalities", "audio", "reasoning", "reasoning_effort",
            "verbosity", "truncation", "parallel_tool_calls", "tool_choice", "max_tool_calls", "web_search_options", "thinking",
            "effort", "output_config", "context_management", "container", "betas", "mcp_servers", "dimensions",
            "encoding_format", "safetySettings", "safety_settings", "toolConfig", "tool_config", "cachedContent",
            "cached_content", "labels", "taskType", "task_type", "outputDimensionality", "output_dimensionality", "size",
            "quality", "response_mime_type", "cache_control");
    /** Parameters of which only the schema of the output is part of the prompt. */
    static final Set<String> CONFIGS = Set.of("generationConfig", "generation_config", "text");
    static final Set<String> SCHEMAS = Set.of("tools", "functions", "response_format", "responseSchema", "response_schema",
            "responseJsonSchema", "response_json_schema", "format", "functionDeclarations", "function_declarations");
    /** Fields within a prompt that are no text. */
    static final Set<String> NO_TEXT = Set.of("type", "id", "tool_call_id", "tool_use_id", "call_id", "cache_control", "status",
            "signature", "thoughtSignature", "thought_signature", "encrypted_content", "encrypted_index", "detail", "model",
            "mimeType", "mime_type", "media_type", "mediaResolution", "media_resolution", "annotations", "logprobs", "index",
            "is_error", "filename", "citations", "server_label", "container_id", "redacted_thinking", "format");
    /** Fields whose value is any JSON. */
    static final Set<String> JSON = Set.of("input", "args", "arguments", "response");
    /** Arrays of tools. */
    static final Set<String> TOOLS = Set.of("tools", "functions", "functionDeclarations", "function_declarations");
    static final Set<String> NO_SCHEMA = Set.of("required", "strict", "additionalProperties", "cache_control", "$schema",
            "defer_loading");
    static final Set<String> PROPERTIES = Set.of("properties", "patternProperties", "$defs", "definitions");
    /** Objects that contain a file or refer to one. */
    static final Set<String> MEDIA_OBJECTS = Set.of("image_url", "source", "input_audio", "inlineData", "inline_data",
            "fileData",
            "file_data", "file", "video_url");
    /** Fields of these objects. */
    static final Set<String> MEDIA = Set.of("data", "url", "file_data", "fileUri", "file_uri", "file_id");
    /** Fields of any object that contain a file or refer to one. */
    static final Set<String> MEDIA_ANYWHERE = Set.of("image_url", "file_data", "file_url", "fileUri", "file_uri", "file_id");

    private PromptFields() {
    }

    /** Returns whether a string contains a file or refers to one. */
    static boolean isMedia(String owner, String field) {
        return MEDIA_ANYWHERE.contains(field) || MEDIA.contains(field) && MEDIA_OBJECTS.contains(owner);
    }

    /**
     * Returns the mode of an object or array.
     *
     * @param parent mode of the object in which it is
     * @param field its name there
     */
    static Mode mode(Mode parent, String field) {
        return switch (parent) {
            case DOCUMENT -> PARAMETERS.contains(field)
                    ? Mode.IGNORED
                    : SCHEMAS.contains(field) ? Mode.SCHEMA : CONFIGS.contains(field) ? Mode.CONFIG : Mode.TEXT;
            case CONFIG -> SCHEMAS.contains(field) ? Mode.SCHEMA : Mode.IGNORED;
            case TEXT -> NO_TEXT.contains(field)
                    ? Mode.IGNORED
                    : SCHEMAS.contains(field) ? Mode.SCHEMA : JSON.contains(field) ? Mode.JSON : Mode.TEXT;
            case SCHEMA -> NO_SCHEMA.contains(field)
                    ? Mode.IGNORED
                    : PROPERTIES.contains(field) ? Mode.PROPERTIES : Mode.SCHEMA;
            case PROPERTIES -> Mode.SCHEMA;
            case JSON -> Mode.JSON;
            case IGNORED -> Mode.IGNORED;
        };
    }
}
