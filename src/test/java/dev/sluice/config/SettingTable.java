package dev.sluice.config;

/** Gives other tests access to the table of settings. */
public final class SettingTable {

    private SettingTable() {
    }

    /** Returns whether the table contains a property. */
    public static boolean contains(String property) {
        return Settings.find(property) != null;
    }

    /** Returns the default value of a property that is converted; null if it has none or is a text. */
    public static String convertedDefault(String property) {
        var setting = Settings.find(property);
        return setting.type() == SettingType.TEXT || setting.isSecret() ? null : setting.defaultValue();
    }

    /** Returns whether values of a property are converted from text to another type. */
    public static boolean isConverted(String property) {
        var type = Settings.find(property).type();
        return type != SettingType.TEXT && type != SettingType.SECRET;
    }
}
