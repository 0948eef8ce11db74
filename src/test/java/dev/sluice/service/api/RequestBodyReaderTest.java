package dev.sluice.service.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;

import jakarta.validation.Validation;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Strictness of request bodies, and the field and message of every error. */
class RequestBodyReaderTest {

    private static final RequestBodyReader READER = new RequestBodyReader(
            Validation.buildDefaultValidatorFactory().getValidator());

    private static BadRequestException rejection(byte[] body) {
        return catchThrowableOfType(BadRequestException.class, () -> READER.read(body, CheckRequest.class));
    }

    private static BadRequestException rejection(String body) {
        return rejection(body.getBytes(StandardCharsets.UTF_8));
    }

    private static String field(BadRequestException rejection) {
        return rejection.errorResponse().details().getString("field");
    }

    @Test
    void readsFieldsInSnakeCase() {
        var body = READER.read("""
                {"identifier": "a\\ud83d\\ude00", "resource": "b", "limit": 10, "window_seconds": 60, "tier": null}
                """.getBytes(StandardCharsets.UTF_8), CheckRequest.class);
        assertThat(body).isEqualTo(new CheckRequest("a\ud83d\ude00", "b", 10L, 60L, null, null, null, null));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "null", "1", "[]", "[{}]", "\"text\"", "true"})
    void rejectsOtherJsonValues(String body) {
        assertThat(rejection(body)).hasMessage("The body is not a JSON object");
        assertThat(field(rejection(body))).isEqualTo("body");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{identifier:1}", "{'identifier':'a'}", "{\"identifier\":\"a\",}", "{\"limit\":01}",
            "{\"limit\":1x}", "{\"limit\":NaN}", "{\"identifier\":\"\u0001\"}",
            "{\"identifier\":\"a\",\"identifier\":\"a\"}", "{\"limit\":1,\"limit\":null}", "{\"limit\":tru}"})
    void rejectsMalformedJsonAndRepeatedFields(String body) {
        assertThat(rejection(body)).hasMessage("The body is not a JSON object, or repeats a field");
        assertThat(field(rejection(body))).isEqualTo("body");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"identifier\":\"a\",\"resource\":\"b\"} 1", "{\"identifier\":\"a\",\"resource\":\"b\"}{}",
            "{\"identifier\":\"a\",\"resource\":\"b\"}]"})
    void rejectsTrailingContent(String body) {
        assertThat(field(rejection(body))).isEqualTo("body");
    }

    /** An overlong encoding of a character would be a second spelling of the same identifier. */
    @Test
    void rejectsInvalidUtf8() {
        byte[] body = "{\"identifier\":\"xx\",\"resource\":\"b\"}".getBytes(StandardCharsets.UTF_8);
        int at = new String(body, StandardCharsets.UTF_8).indexOf("xx");
        body[at] = (byte) 0xC0;
        body[at + 1] = (byte) 0xAF;
        assertThat(field(rejection(body))).isEqualTo("body");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '#', value = {
            "{\"resource\":\"b\"} | identifier | is missing",
            "{\"identifier\":null,\"resource\":\"b\"} | identifier | is missing",
            "{} | identifier | is missing",
            "{\"identifier\":\"a\"} | resource | is missing",
            "{\"identifier\":\"\",\"resource\":\"b\"} | identifier | must have 1 to 256 characters and no unpaired surrogate",
            "{\"identifier\":\"\\ud800\",\"resource\":\"b\"} | identifier | must have 1 to 256 characters and no unpaired surrogate",
            "{\"identifier\":1,\"resource\":\"b\"} | identifier | must be a string",
            "{\"identifier\":1.5} | identifier | must be a string", "{\"tier\":true} | tier | must be a string",
            "{\"rate\":[\"5/minute\"]} | rate | must be a string", "{\"rate\":{\"limit\":5}} | rate | must be a string",
            "{\"limit\":\"10\"} | limit | must be a whole number from 1 to 1000000000",
            "{\"limit\":\"\"} | limit | must be a whole number from 1 to 1000000000",
            "{\"limit\":1.0} | limit | must be a whole number from 1 to 1000000000",
            "{\"limit\":1e2} | limit | must be a whole number from 1 to 1000000000",
            "{\"limit\":true} | limit | must be a whole number from 1 to 1000000000",
            "{\"limit\":[]} | limit | must be a whole number from 1 to 1000000000",
            "{\"limit\":99999999999999999999} | limit | must be a whole number from 1 to 1000000000",
            "{\"identifier\":\"a\",\"resource\":\"b\",\"limit\":0} | limit | must be a whole number from 1 to 1000000000",
            "{\"identifier\":\"a\",\"resource\":\"b\",\"window_seconds\":2678401} | window_seconds | must be a whole number from 1 to 2678400",
            "{\"identifier\":\"a\",\"resource\":\"b\",\"cost\":-1} | cost | must be a whole number from 0 to 1000000000"})
    void namesTheFieldAndWhatIsAllowed(String body, String field, String expectation) {
        assertThat(field(rejection(body))).isEqualTo(field);
        assertThat(rejection(body)).hasMessage(field + ' ' + expectation);
    }

    @Test
    void rejectsUnknownFields() {
        assertThat(rejection("{\"identifier\":\"a\",\"windowSeconds\":1}"))
                .hasMessage("Unknown field; allowed: charge, cost, identifier, limit, rate, resource, tier, window_seconds");
        assertThat(field(rejection("{\"windowSeconds\":1}"))).isEqualTo("windowSeconds");
        assertThat(field(rejection("{\"" + "x".repeat(65) + "\":1}"))).isEqualTo("body");
    }

    @Test
    void rejectsDeepNestingWithoutReadingIt() {
        assertThat(field(rejection("{\"limit\":" + "[".repeat(5000)))).isEqualTo("limit");
    }
}
