package dev.sluice.llm.protocol;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;

import dev.sluice.api.Identifiers;
import dev.sluice.llm.estimate.PromptTokens;
import dev.sluice.llm.protocol.json.BodyBytes;
import dev.sluice.llm.protocol.json.JsonFieldCollector;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** Reads the fields of a request's body. */
final class RequestFields {

    private static final String NOT_JSON = "body is not JSON";

    /** List of models, with the paths of its elements and of the models that these name. */
    private record ModelList(String path, String element, String model) {

        ModelList(String path) {
            this(path, path + ".[]", path + ".[].model");
        }
    }

    private static final ModelList TOOLS = new ModelList("tools");
    /** Lists of models: of OpenRouter, of Anthropic, and of gateways in front of other providers; the models of tools. */
    private static final List<ModelList> MODEL_LISTS = List.of(new ModelList("models"), new ModelList("fallbacks"), TOOLS);
    /** Models by others, as gateways have them. */
    private static final List<String> MODEL_MAPS = List.of("context_window_fallbacks", "content_policy_fallbacks");
    private static final String TOOL_TYPE = "tools.[].type";
    /**
     * OpenAI's tool that generates images, and its default model.
     *
     * @see <a href="https://platform.openai.com/docs/api-reference/responses/create">OpenAI: responses</a>
     */
    private static final String IMAGE_TOOL = "image_generation";
    private static final String IMAGE_TOOL_MODEL = "gpt-image-1";
    private static final String UNKNOWN_MODEL = "";
    /** A call that names more has a model that is not known. */
    private static final int MAX_MODELS = 16;
    /** Paths of the further models that a request names. */
    static final List<String> FURTHER_MODELS = Stream
            .of(MODEL_LISTS.stream().map(list -> list.path() + ".[*].model"), MODEL_MAPS.stream(), Stream.of("tools.[*].type"))
            .flatMap(paths -> paths).toList();

    private RequestFields() {
    }

    /**
     * Returns the further models that a request names, of which one may answer or work for a tool.
     *
     * @return the names; an empty one for models that are not known
     */
    static List<String> furtherModels(JsonFields fields) {
        var models = new LinkedHashSet<String>();
        for (var list : MODEL_LISTS) {
            var elements = fields.elements(list.path());
            for (var element : elements) {
                var name = element.text(list.model());
                name = name == null ? element.text(list.element()) : name;
                if (name != null || list != TOOLS) {
                    models.add(Identifiers.isValid(name) && models.size() < MAX_MODELS ? name : UNKNOWN_MODEL);
                }
            }
            if (fields.elementCount(list.path()) > elements.size() || list != TOOLS && fields.isString(list.path())) {
                models.add(UNKNOWN_MODEL);
            }
        }
        for (var map : MODEL_MAPS) {
            if (fields.has(map)) {
                models.add(UNKNOWN_MODEL);
            }
        }
        return List.copyOf(models);
    }

    /** Returns the models of tools that name none. */
    static List<String> toolModels(JsonFields fields) {
        return fields.elements(TOOLS.path()).stream().anyMatch(
                tool -> IMAGE_TOOL.equals(tool.text(TOOL_TYPE)) && tool.text(TOOLS.model()) == null)
                        ? List.of(IMAGE_TOOL_MODEL)
                        : List.of();
    }

    static JsonFields read(JsonPaths paths, BodyBytes body) {
        return read(paths, body, null, null);
    }

    /**
     * @param prompt reads the tokens too; null for none
     * @param rewriter reads the tokens too; null for none
     */
    static JsonFields read(JsonPaths paths, BodyBytes body, PromptTokens prompt, IncludeUsageRewriter rewriter) {
        if (!body.isUtf8()) { // the parser accepts overlong forms: one name could be encoded in two ways
            throw new InvalidRequestBodyException("body is not UTF-8");
        }
        var found = new ArrayList<JsonFields>(1);
        try (var parser = body.createParser()) {
            var token = parser.nextToken();
            if (token != JsonToken.START_OBJECT) {
                throw new InvalidRequestBodyException(token == null ? NOT_JSON : "body is not a JSON object");
            }
            var collector = new JsonFieldCollector(paths, found::add);
            for (; token != null; token = parser.nextToken()) {
                if (!collector.accept(token, parser)) {
                    throw new InvalidRequestBodyException("body has data after its JSON object");
                }
                if (prompt != null) {
                    prompt.accept(token, parser);
                }
                if (rewriter != null) {
                    rewriter.accept(token, parser);
                }
            }
            for (var field : collector.ambiguousFields()) { // the provider could read another value than the one that is counted
                if (rewriter == null || !IncludeUsageRewriter.rewrites(field)) {
                    throw new InvalidRequestBodyException("body has the field " + field
                            + " twice, or in another case");
                }
            }
            return found.get(0);
        } catch (StreamConstraintsException e) {
            throw new InvalidRequestBodyException(
                    "body is nested too deeply, or contains a name, number or string that is too long");
        } catch (IOException e) {
            throw new InvalidRequestBodyException(NOT_JSON);
        }
    }

    static String model(JsonFields fields) {
        return fields.has("model") ? validModel(fields.text("model")) : "";
    }

    /** @param model null if it is not a string */
    static String validModel(String model) {
        if (model == null || !model.isEmpty() && !Identifiers.isValid(model)) {
            throw new InvalidRequestBodyException("model must be a string of up to " + Identifiers.MAX_LENGTH
                    + " characters without an unpaired surrogate");
        }
        return model;
    }
}
