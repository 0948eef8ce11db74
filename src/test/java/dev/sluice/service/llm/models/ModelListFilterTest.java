package dev.sluice.service.llm.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.Predicate;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;

/** Lists of models are filtered, however they are split into chunks. */
class ModelListFilterTest {

    private static final String OPENAI = "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o\",\"object\":\"model\",\"created\":1.50,"
            + "\"permission\":[{\"id\":\"p1\",\"nested\":{\"id\":\"gpt-x\"}}]},{\"object\":\"model\",\"id\":\"o3\"},"
            + "{\"id\":\"gpt-4.1\",\"name\":\"GPT \u00e9\"}],\"has_more\":false,\"last_id\":\"o3\"}";
    private static final String GEMINI = "{\"models\":[{\"name\":\"models/gemini-2.5-pro\",\"displayName\":\"o\"},"
            + "{\"name\":\"models/o3\",\"methods\":[\"a\"]}],\"nextPageToken\":\"x\"}";

    private static final Predicate<String> GPT = model -> model.startsWith("gpt-4");

    private static String filter(String list, Predicate<String> allowed, int seed) {
        var random = new Random(seed);
        var filter = new ModelListFilter(allowed);
        var bytes = Buffer.buffer(list);
        var result = Buffer.buffer();
        for (int from = 0; from < bytes.length();) {
            int to = Math.min(bytes.length(), from + 1 + random.nextInt(30));
            result.appendBuffer(filter.feed(bytes.slice(from, to)));
            from = to;
        }
        return result.appendBuffer(filter.end()).toString();
    }

    @Test
    void onlyAllowedModelsAreLeft() {
        for (int seed = 0; seed < 200; seed++) {
            assertThat(new JsonObject(filter(OPENAI, GPT, seed))).isEqualTo(new JsonObject("{\"object\":\"list\",\"data\":["
                    + "{\"id\":\"gpt-4o\",\"object\":\"model\",\"created\":1.50,\"permission\":[{\"id\":\"p1\",\"nested\":"
                    + "{\"id\":\"gpt-x\"}}]},{\"id\":\"gpt-4.1\",\"name\":\"GPT \u00e9\"}],\"has_more\":false,\"last_id\":\"o3\"}"));
            assertThat(filter(GEMINI, "gemini-2.5-pro"::equals, seed)).isEqualTo(
                    "{\"models\":[{\"name\":\"models/gemini-2.5-pro\",\"displayName\":\"o\"}],\"nextPageToken\":\"x\"}");
        }
    }

    @Test
    void nothingIsLostIfAllAreAllowed() {
        assertThat(new JsonObject(filter(OPENAI, model -> true, 1))).isEqualTo(new JsonObject(OPENAI));
        assertThat(filter("[1,2,{\"data\":[{\"id\":\"o3\"}]}]", GPT, 1)).isEqualTo("[1,2,{\"data\":[{\"id\":\"o3\"}]}]");
    }

    /** A list that cannot be read is shown without models. */
    @ParameterizedTest
    @ValueSource(strings = {"", "not JSON", "{\"data\":[{\"id\":\"o3\"", "{\"data\":[{\"id\":\"o3\"}}"})
    void brokenListsShowNoModel(String broken) {
        for (int seed = 0; seed < 20; seed++) {
            assertThat(filter(broken, GPT, seed)).doesNotContain("o3");
        }
    }

    @Test
    void discardedListIsEmpty() {
        var filter = new ModelListFilter(model -> true);
        filter.discard();
        assertThat(filter.feed(Buffer.buffer(OPENAI)).length()).isZero();
        assertThat(new JsonObject(filter.end().toString()).getJsonArray("data")).isEmpty();
    }
}
