package dev.sluice.policy.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.vertx.core.MultiMap;

class RuleCostTest {

    private static final MultiMap NO_HEADERS = MultiMap.caseInsensitiveMultiMap();

    @ParameterizedTest
    @CsvSource({"5, 5", "' 7 ', 7", "request-header:X-Cost, request-header:x-cost",
            "Query : n ; default = 2 ; MAX=9, query:n;default=2;max=9", "response-header:x;keep, response-header:x;keep",
            "response-header:x;keep;max=1, response-header:x;max=1;keep"})
    void textFormIsThatOfTheConfiguration(String text, String form) {
        assertThat(RuleCost.parse(text)).hasToString(form);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "1.5", "1000000001", "99999999999999999999", "5;max=7", "header:x", "request-header",
            "request-header:", "request-header:a b", "query:", "query:a b", "query:n;keep", "query:n;default=0",
            "query:n;max=x",
            "query:n;default=5;max=4", "query:n;max=4;max=5", "query:n;", "response-header:x;keep;keep", "query:n;min=1",
            "request-headers:x"})
    void invalidCostsAreRejected(String text) {
        assertThatThrownBy(() -> RuleCost.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void misspeltSourceIsNamed() {
        assertThatThrownBy(() -> RuleCost.parse("reqest-header:x"))
                .hasMessage("'reqest-header' is no source of a cost; did you mean request-header?");
    }

    /** PHP, Rack and qs read these as the same parameter. */
    @ParameterizedTest
    @CsvSource({"page_size, page.size", "page_size, page%20size", "page_size, +page_size", "page_size, page[size",
            "page_size, page%5Bsize", "page_size, %20Page.Size", "page_size, page_size%00x", "page_size, page_size[]",
            "page_size, page_size[0]", "page_size, page.size[1][]", "page_size, [page_size]", "page_size, page_size]",
            "page.size, page_size", "page[size], page[size]", "page[size], page.size]"})
    void otherSpellingsOfAParameterCount(String name, String spelling) {
        var cost = RuleCost.parse("query:" + name + ";default=3");
        assertThat(cost.units(NO_HEADERS, spelling + "=40")).isEqualTo(40);
        assertThat(cost.units(NO_HEADERS, name + "=1&" + spelling + "=40")).isEqualTo(40);
        assertThat(cost.units(NO_HEADERS, spelling + "=40&" + name + "=1")).isEqualTo(40);
    }

    @ParameterizedTest
    @CsvSource({"page_size, page-size", "page_size, pagesize", "page_size, page_size_", "page_size, page[size]",
            "page, page[size]", "page, page.size", "page, page[", "page[size], page", "page_size, x.page_size"})
    void otherParametersDoNotCount(String name, String other) {
        assertThat(RuleCost.parse("query:" + name + ";default=3").units(NO_HEADERS, other + "=40")).isEqualTo(3);
    }

    /** Whatever stands beside a number: the request takes that number at least, or is rejected. */
    @Test
    void noFurtherValueLowersACost() {
        var cost = RuleCost.parse("query:n;default=2;max=50");
        var random = new Random(20261130);
        var others = List.of("n=0", "n=", "n", "N=1", "n=1;n=1", "n=-3", "n=x", "m=3", "n=%31", "n=+1", "n=1,0",
                "n=999999999999");
        for (int i = 0; i < 5_000; i++) {
            int units = 1 + random.nextInt(50);
            var parameters = new ArrayList<>(random.ints(random.nextInt(4), 0, others.size()).mapToObj(others::get).toList());
            parameters.add(random.nextInt(parameters.size() + 1), "n=" + units);
            var query = String.join("&", parameters);
            try {
                assertThat(cost.units(NO_HEADERS, query)).as(query).isBetween((long) units, 50L);
            } catch (InvalidCostException e) {
                assertThat(query).containsAnyOf("n=-3", "n=x", "n=1;n=1");
                assertThat(e.field()).isEqualTo("n");
            }
        }
    }

    @Test
    void answerMayBeFree() {
        var cost = RuleCost.parse("response-header:x;max=9");
        assertThat(Stream.of("0", "3", "10", "3,7", "", "x", "1,x", "-1").map(value -> cost.unitsOfAnswer(value, 5)))
                .containsExactly(0L, 3L, 9L, 7L, 5L, 5L, 5L, 5L);
        assertThat(cost.unitsOfAnswer(null, 5)).isEqualTo(5);
        assertThat(cost.isHidden()).isTrue();
        assertThat(RuleCost.parse("response-header:x;keep").isHidden()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"401,403; 401 403; 400 402 404 200", "4xx; 400 404 499; 399 500 401000",
            "!2xx; 100 199 300 404 599 700; 200 204 299", "4XX,!404; 400 403; 404 200", "!404,!5xx; 200 403; 404 500"})
    void answersCountByTheirStatus(String text, String counted, String others) {
        var answers = CountedAnswers.parse(List.of(text.split(",")));
        assertThat(answers.isAll()).isFalse();
        assertThat(answers).hasToString(text.toLowerCase());
        assertThat(Stream.of(counted.split(" ")).map(Integer::valueOf)).allMatch(answers::contains);
        assertThat(Stream.of(others.split(" ")).map(Integer::valueOf)).noneMatch(answers::contains);
        assertThat(CountedAnswers.ALL.contains(Integer.parseInt(others.split(" ")[0]))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "6xx", "099", "600", "xx", "4x", "!", "!!2xx", "200-299", "401,", "4xx,!4xx",
            "!1xx,!2xx,!3xx,!4xx,!5xx"})
    void invalidAnswersAreRejected(String text) {
        assertThatThrownBy(() -> CountedAnswers.parse(List.of(text.split(",", -1))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
