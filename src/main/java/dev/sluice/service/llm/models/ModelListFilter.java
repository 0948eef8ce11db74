package dev.sluice.service.llm.models;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.function.Predicate;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.async.ByteArrayFeeder;

import io.vertx.core.buffer.Buffer;

/**
 * Removes the models that a caller may not call from a provider's list, chunk by chunk: from {@code data} of OpenAI and Anthropic, by
 * {@code id}, and from {@code models} of Gemini, by {@code name}. A list that cannot be read becomes an empty one. Not thread-safe.
 */
public final class ModelListFilter {

    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(100).build()).build();
    private static final Set<String> LISTS = Set.of("data", "models");
    private static final Set<String> NAMES = Set.of("id", "name");
    private static final String GEMINI_PREFIX = "models/";
    private static final String EMPTY_LIST = "{\"object\":\"list\",\"data\":[],\"models\":[]}";
    /** Maximum size of one model in bytes. */
    private static final int MAX_MODEL = 1 << 20;

    private final Predicate<String> allowed;
    private final JsonParser parser;
    private final ByteArrayFeeder feeder;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final JsonGenerator generator;
    /** Copy of the model that is being read; null between models. */
    private JsonGenerator model;
    private ByteArrayOutputStream modelBytes;
    private String modelName;
    private int depth;
    private boolean inList;
    private boolean written;
    private boolean failed;

    /** @param allowed returns whether a model may be called */
    public ModelListFilter(Predicate<String> allowed) {
        this.allowed = allowed;
        try {
            parser = JSON.createNonBlockingByteArrayParser();
            generator = JSON.createGenerator(output, JsonEncoding.UTF8);
        } catch (IOException e) {
            throw new IllegalStateException(e); // nothing is read or written
        }
        feeder = (ByteArrayFeeder) parser.getNonBlockingInputFeeder();
    }

    /** Returns the part of a chunk that is for the client. */
    public Buffer feed(Buffer chunk) {
        if (!failed) {
            try {
                var bytes = chunk.getBytes();
                feeder.feedInput(bytes, 0, bytes.length);
                copy();
            } catch (IOException | IllegalStateException e) {
                failed = true;
            }
        }
        return take();
    }

    /** Discards the response: the client receives an empty list. */
    public void discard() {
        failed = true;
    }

    /** Returns the end of the response. */
    public Buffer end() {
        if (!failed) {
            try {
                feeder.endOfInput();
                copy();
                generator.close();
                failed = depth > 0 || model != null;
            } catch (IOException | IllegalStateException e) {
                failed = true;
            }
        }
        return failed && !written ? Buffer.buffer(EMPTY_LIST) : take();
    }

    private Buffer take() {
        try {
            if (!failed) {
                generator.flush();
            }
        } catch (IOException e) {
            failed = true;
        }
        var taken = failed ? Buffer.buffer() : Buffer.buffer(output.toByteArray());
        output.reset();
        written |= taken.length() > 0;
        return taken;
    }

    private void copy() throws IOException {
        for (var token = parser.nextToken(); token != null && token != JsonToken.NOT_AVAILABLE; token = parser.nextToken()) {
            if (token.isStructEnd()) {
                depth--;
            }
            if (inList && depth == 1 && token == JsonToken.END_ARRAY) {
                inList = false;
            }
            if (inList && depth == 2 && model == null) {
                beginModel();
            }
            if (model != null) {
                copyModel(token);
            } else {
                generator.copyCurrentEvent(parser);
            }
            if (token.isStructStart()) {
                depth++;
                inList |= depth == 2 && token == JsonToken.START_ARRAY && LISTS.contains(parser.currentName());
            }
        }
    }

    private void beginModel() throws IOException {
        modelBytes = new ByteArrayOutputStream();
        model = JSON.createGenerator(modelBytes, JsonEncoding.UTF8);
        modelName = null;
    }

    private void copyModel(JsonToken token) throws IOException {
        model.copyCurrentEvent(parser);
        if (depth == 3 && token == JsonToken.VALUE_STRING && NAMES.contains(parser.currentName())
                && (modelName == null || parser.currentName().equals("id"))) {
            modelName = parser.getText();
        }
        if (modelBytes.size() > MAX_MODEL) {
            throw new IOException("The description of a model is too long");
        }
        if (depth == 2 && !token.isStructStart()) {
            model.close();
            if (modelName != null && allowed.test(withoutPrefix(modelName))) {
                generator.writeRawValue(modelBytes.toString(StandardCharsets.UTF_8));
            }
            model = null;
        }
    }

    private static String withoutPrefix(String name) {
        return name.startsWith(GEMINI_PREFIX) ? name.substring(GEMINI_PREFIX.length()) : name;
    }

    /** Returns whether a path of an operation without tokens lists all models. */
    public static boolean isList(String path) {
        return path.endsWith("/models");
    }

    /** Returns the model that a path of an operation without tokens describes; null if it describes none. */
    public static String described(String path) {
        int start = path.lastIndexOf("/models/");
        return start < 0 ? null : path.substring(start + "/models/".length());
    }
}
