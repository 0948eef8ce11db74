package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/** US dollars as whole numbers of picodollars (10⁻¹² US dollars), in which the price of every token is a whole number. */
public final class Money {

    /** Maximum price of a million tokens, in US dollars. */
    public static final int MAX_PRICE = 10_000;

    /** Format of a price, in one line for error messages. */
    public static final String PRICE_SYNTAX = "US dollars per million tokens, a decimal from 0 to " + MAX_PRICE
            + " with at most 6 digits after the point, such as 2.50";

    private static final int DOLLAR_SCALE = 12;
    /** A price of one US dollar per million tokens is 10⁶ picodollars per token. */
    private static final int PRICE_SCALE = 6;
    private static final BigDecimal MAX_PRICE_DECIMAL = BigDecimal.valueOf(MAX_PRICE);
    private static final int MAX_LENGTH = 32;

    private Money() {
    }

    /**
     * Formats an amount exactly, without superfluous digits: {@code 0.012345}, {@code 3}, {@code 0}.
     *
     * @param picodollars the amount in 10⁻¹² US dollars
     * @return the amount in US dollars
     */
    public static String dollars(long picodollars) {
        return dollars(BigInteger.valueOf(picodollars));
    }

    /**
     * Formats an amount of any size, as {@link #dollars(long)}.
     *
     * @param picodollars the amount in 10⁻¹² US dollars
     * @return the amount in US dollars
     */
    public static String dollars(BigInteger picodollars) {
        return picodollars.signum() == 0 ? "0" : new BigDecimal(picodollars, DOLLAR_SCALE).stripTrailingZeros().toPlainString();
    }

    /**
     * Converts picodollars to nanodollars, in which budgets are counted.
     *
     * @param picodollars the amount in 10⁻¹² US dollars, not negative
     * @return the amount in 10⁻⁹ US dollars, rounded up
     */
    public static long nanodollars(long picodollars) {
        return (picodollars + 999) / 1000;
    }

    /**
     * Parses a price.
     *
     * @param perMillion US dollars per million tokens
     * @return picodollars per token
     * @throws IllegalArgumentException if the text is not {@value #PRICE_SYNTAX}
     */
    static long picodollarsPerToken(String perMillion) {
        return picodollarsPerToken(decimal(perMillion));
    }

    /**
     * Parses a price of anything.
     *
     * @return 0 to {@value #MAX_PRICE}, with at most 6 digits after the point
     * @throws IllegalArgumentException if the text is something else
     */
    static BigDecimal decimal(String price) {
        var text = price.strip();
        if (!isDecimal(text)) {
            throw new IllegalArgumentException(PRICE_SYNTAX);
        }
        var decimal = new BigDecimal(text);
        picodollarsPerToken(decimal);
        return decimal;
    }

    /**
     * Converts a price.
     *
     * @param price US dollars per million tokens
     * @return picodollars per token
     * @throws IllegalArgumentException if the amount is not {@value #PRICE_SYNTAX}
     */
    static long picodollarsPerToken(BigDecimal price) {
        if (price.signum() < 0 || price.compareTo(MAX_PRICE_DECIMAL) > 0 || price.stripTrailingZeros().scale() > PRICE_SCALE) {
            throw new IllegalArgumentException(PRICE_SYNTAX);
        }
        return price.movePointRight(PRICE_SCALE).longValueExact();
    }

    /**
     * Parses an amount of a price list.
     *
     * @param field name of the amount, for the message
     * @return the amount without superfluous zeros
     * @throws IllegalArgumentException if the text is not a price
     */
    static BigDecimal decimal(String field, String text) {
        try {
            return perMillion(picodollarsPerToken(text));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(field + " is not " + PRICE_SYNTAX, e);
        }
    }

    /** Returns a price in US dollars per million tokens, without superfluous zeros. */
    static BigDecimal perMillion(long picodollarsPerToken) {
        return BigDecimal.valueOf(picodollarsPerToken, PRICE_SCALE).stripTrailingZeros();
    }

    /** Returns whether the text consists of digits and at most one point; no sign, no exponent. */
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

    /** Returns a percentage of a price, rounded up to a whole picodollar. */
    static long percent(long price, int percent) {
        return BigDecimal.valueOf(price).multiply(BigDecimal.valueOf(percent, 2)).setScale(0, RoundingMode.CEILING)
                .longValueExact();
    }
}
