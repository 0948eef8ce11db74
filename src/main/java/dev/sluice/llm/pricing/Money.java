package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/** US dollars, counted in picodollars (a millionth of a millionth): of these, every token costs a whole number. */
public final class Money {

    /** The most that a million tokens may cost, in dollars. */
    public static final int MAX_PRICE = 10_000;

    /** What {@link #picodollarsPerToken(String)} accepts, in one line for error messages. */
    public static final String PRICE_SYNTAX = "US dollars per million tokens, a decimal from 0 to " + MAX_PRICE
            + " with at most 6 digits after the point, such as 2.50";

    private static final int DOLLAR_SCALE = 12;
    /** What costs a dollar a million costs so many picodollars each. */
    private static final int PRICE_SCALE = 6;
    private static final BigDecimal MAX_PRICE_DECIMAL = BigDecimal.valueOf(MAX_PRICE);
    private static final int MAX_LENGTH = 32;

    private Money() {
    }

    /** Dollars with as many digits as are exact, and none to spare: {@code 0.012345}, {@code 3}, {@code 0}. */
    public static String dollars(long picodollars) {
        return dollars(BigInteger.valueOf(picodollars));
    }

    /** The same, for sums of any size. */
    public static String dollars(BigInteger picodollars) {
        return picodollars.signum() == 0 ? "0" : new BigDecimal(picodollars, DOLLAR_SCALE).stripTrailingZeros().toPlainString();
    }

    /**
     * The picodollars that one token costs.
     *
     * @param perMillion dollars for a million tokens
     * @throws IllegalArgumentException if it is not {@value #ALLOWED_PRICE}
     */
    static long picodollarsPerToken(String perMillion) {
        var text = perMillion.strip();
        if (!isDecimal(text)) {
            throw new IllegalArgumentException(PRICE_SYNTAX);
        }
        var price = new BigDecimal(text);
        if (price.compareTo(MAX_PRICE_DECIMAL) > 0 || price.stripTrailingZeros().scale() > PRICE_SCALE) {
            throw new IllegalArgumentException(PRICE_SYNTAX);
        }
        return price.movePointRight(PRICE_SCALE).longValueExact();
    }

    /** Digits with at most one point among them; no sign, no exponent. */
    private static boolean isDecimal(String text) {
        int points = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '.') {
                points++;
            } else if (c < '0' || c > '9') {
                return false;
            }
        }
        return points <= 1 && text.length() > points && text.length() <= MAX_LENGTH;
    }

    /** So many hundredths of a price, rounded up to a whole picodollar. */
    static long percent(long price, int percent) {
        return BigDecimal.valueOf(price).multiply(BigDecimal.valueOf(percent, 2)).setScale(0, RoundingMode.CEILING)
                .longValueExact();
    }
}
