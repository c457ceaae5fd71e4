//! German.

use super::{
    Account, Answers, Authenticator, Demo, Enrol, Frame, Inputs, Links, Login, Logout, Paging,
    Password, Recovery, Refusals, Register, SecondFactor, Strength, Wait, Words,
};
use crate::crypto::Guess;
use crate::domain::PasswordWeakness;
use crate::types::NameError;

pub(super) static WORDS: Words = Words {
    frame: Frame {
        not_done: "Das hat nicht geklappt. ",
        not_done_title: |title| format!("Fehler: {title}"),
        signed_in: "Sie sind angemeldet",
        labelled: |name, value| format!("{name}: {value}"),
        follow: "Weiter",
        not_possible: "Nicht möglich",
        not_available: "Nicht verfügbar",
        try_again: "Noch einmal versuchen",
    },
    inputs: Inputs {
        username: "Benutzername",
        password: "Passwort",
        current_password: "Aktuelles Passwort",
        new_password: "Neues Passwort",
        password_again: "Neues Passwort wiederholen",
        code: "Code aus Ihrer Authenticator-App",
        reveal: ("Zeigen", "Passwort zeigen"),
        announces: "Der Code wird mit der letzten Ziffer abgeschickt.",
        go_on: "Weiter",
        confirm: "Bestätigen",
        start_over: "Von vorn beginnen",
        your_account: "Ihr Konto",
    },
    login: Login {
        title: "Anmelden",
        name: "Benutzername oder E-Mail-Adresse",
        remember: "Auf diesem Gerät angemeldet bleiben",
        button: "Anmelden",
        register: "Konto anlegen",
    },
    second_factor: SecondFactor {
        title: "Zweiter Faktor",
        again: "Dafür müssen Sie Ihren zweiten Faktor kurz zuvor bestätigt haben.",
        without: "Ich kann meine Authenticator-App nicht benutzen",
        recovery_code: "Wiederherstellungscode",
        recovery_hint: "Einer der zehn Codes, die Sie beim Einrichten aufbewahrt haben. Jeder \
                        gilt einmal.",
        use_code: "Diesen Code verwenden",
    },
    password: Password {
        title: "Neues Passwort wählen",
        text: "Bevor es weitergeht, wählen Sie bitte ein neues Passwort.",
        own_title: "Passwort ändern",
        own_text: "Überall sonst, wo Sie angemeldet sind, müssen Sie sich danach neu anmelden.",
        button: "Passwort ändern",
        done_title: "Passwort geändert",
        done: "Ihr Passwort ist geändert. Auf allen anderen Geräten sind Sie abgemeldet.",
    },
    strength: Strength {
        label: "Stärke des neuen Passworts",
        levels: [
            "Sehr leicht zu erraten",
            "Leicht zu erraten",
            "Zu erraten",
            "Schwer zu erraten",
            "Sehr schwer zu erraten",
        ],
        why,
        advice: "Fügen Sie ein oder zwei Wörter hinzu, die nichts damit zu tun haben. \
                  Großbuchstaben, Ziffern und Sonderzeichen an den üblichen Stellen \
                  helfen wenig.",
    },
    register: Register {
        title: "Konto anlegen",
        display_name: "Ihr Name (freiwillig)",
        email: "E-Mail-Adresse (freiwillig)",
        button: "Konto anlegen",
        login: "Ich habe schon ein Konto",
    },
    links: Links {
        setup: (
            "Erstes Administratorkonto einrichten",
            "Noch kann sich niemand anmelden. Wählen Sie Namen und Passwort für das erste \
             Administratorkonto.",
        ),
        invitation: ("Willkommen", "Sie wurden eingeladen. Wählen Sie Ihr Passwort."),
        new_password: ("Neues Passwort wählen", "Ihr zweiter Faktor bleibt, wie er ist."),
        new_second_factor: (
            "Neue Authenticator-App einrichten",
            "Bestätigen Sie mit Ihrem Passwort, dass Sie es sind. Danach geht es zur Einrichtung.",
        ),
    },
    enrol: Enrol {
        title: "Authenticator-App einrichten",
        text: "Von nun an melden Sie sich mit Ihrem Passwort und einem Code aus einer \
               Authenticator-App an. Scannen Sie dieses Bild mit der App und geben Sie dann den \
               Code ein, den sie anzeigt.",
        picture: "QR-Code für Ihre Authenticator-App",
        this_device: "Ist die App auf diesem Gerät? ",
        open: "In der Authenticator-App öffnen",
        key: "Oder geben Sie diesen Schlüssel in die App ein:",
        link_needed: (
            "Sie brauchen einen Link",
            "Ihr zweiter Faktor wurde von der Administration entfernt. Um einen neuen \
             einzurichten, brauchen Sie den zugehörigen Link: Fragen Sie Ihre Administration \
             danach und öffnen Sie ihn.",
        ),
    },
    authenticator: Authenticator {
        title: "Ihre Authenticator-App",
        text: "Sie haben eine Authenticator-App eingerichtet. Sie können sie durch eine andere \
               ersetzen: Die alte gilt, bis der erste Code der neuen bestätigt ist.",
        any_code: "Code aus der App oder ein Wiederherstellungscode",
        replace: "Neue App einrichten",
        remove_title: "Zweiten Faktor entfernen",
        remove_text: "Danach genügt Ihr Passwort, um sich anzumelden. Auch Ihre \
                      Wiederherstellungscodes gelten dann nicht mehr.",
        remove: "Entfernen",
        not_now: "Nicht jetzt",
        back: "Zurück zu Ihrem Konto",
    },
    recovery: Recovery {
        title: "Wiederherstellungscodes",
        shown_title: "Ihre Wiederherstellungscodes",
        new_title: "Ihre neuen Wiederherstellungscodes",
        shown: "Falls Sie Ihre Authenticator-App verlieren, können Sie sich mit jedem dieser \
                Codes einmal anmelden. Bewahren Sie sie so auf, dass nur Sie sie finden. Sie \
                werden nicht noch einmal angezeigt.",
        copy: "Kopieren",
        copied: "Kopiert.",
        not_copied: "Ihr Browser hat nichts kopiert. Bitte markieren und kopieren Sie von Hand.",
        save: "Als Datei speichern",
        file: "wiederherstellungscodes",
        print: "Drucken",
        kept: "Ich habe sie aufbewahrt",
        renew: "Neue Wiederherstellungscodes erstellen",
        renew_text: "Ihre bisherigen Codes gelten dann nicht mehr.",
        renew_button: "Neue Codes erstellen",
        none: "Sie haben keine Wiederherstellungscodes, weil Sie keine Authenticator-App haben.",
        last_used: "Sie haben Ihren letzten Wiederherstellungscode verbraucht. Erstellen Sie \
                    jetzt neue: Ohne sie können Sie sich nicht mehr anmelden, falls Sie Ihre \
                    Authenticator-App verlieren.",
        few: |left| match left {
            1 => "Sie haben noch einen Wiederherstellungscode. Erstellen Sie bald neue.".into(),
            _ => format!(
                "Sie haben nur noch {left} Wiederherstellungscodes. Erstellen Sie bald neue."
            ),
        },
        many: |left| {
            format!(
                "Sie haben noch {left} Wiederherstellungscodes. Sie wurden einmal angezeigt und \
                 lassen sich nicht noch einmal anzeigen."
            )
        },
    },
    account: Account {
        groups: "Gruppen",
        no_groups: "Keine",
        since: "Angemeldet seit",
        ends: "Endet spätestens",
        how: "So melden Sie sich an",
        change_password: "Passwort ändern",
        enrolled: ["Authenticator-App eingerichtet am ", ". "],
        replace: "Ersetzen oder entfernen",
        no_authenticator: "Keine Authenticator-App. ",
        enrol: "Einrichten",
        places: "Wo Sie angemeldet sind",
        unknown_device: "Unbekanntes Gerät",
        device: |browser, system| format!("{browser} auf {system}"),
        place: ["Von ", ", seit ", ", zuletzt benutzt ", ". "],
        this_device: "Dieses Gerät.",
        end_there: "Dort abmelden",
        end_everywhere: "Überall abmelden",
        programs: "Programme, die in Ihrem Namen handeln",
        programs_text: "Diese Zugriffstoken hat Ihre Administration ausgestellt.",
        program_since: ["Seit ", "."],
        revoke: |name| format!("{name} widerrufen"),
        sign_out: "Abmelden",
    },
    logout: Logout {
        title: "Abmelden?",
        signed_in_as: ["Sie sind als ", " angemeldet."],
        button: "Abmelden",
        done_title: "Abgemeldet",
        done: "Sie sind abgemeldet, hier und überall, wo diese Anmeldung galt.",
        sign_in: "Wieder anmelden",
    },
    demo: Demo {
        title: "Die Demo-App",
        user: ["Das Gateway sagt, Sie sind ", "."],
        nobody: "Das Gateway hat nicht gesagt, wer Sie sind.",
        received: "An der Stelle dieser Seite steht später Ihre eigene App. Empfangen wurde:",
        protect: "So schützen Sie Ihre eigene App: ",
    },
    paging: Paging {
        label: "Seiten",
        first: "Erste Seite",
        previous: "Vorige Seite",
        next: "Nächste Seite",
        last: "Letzte Seite",
        page_of: |page, pages| format!("Seite {page} von {pages}"),
    },
    refusals: Refusals {
        forbidden: (
            "Kein Zugang",
            "Sie haben hier keinen Zugang. Wenden Sie sich an Ihre Administration.",
        ),
        not_found: ("Hier ist nichts", "Unter dieser Adresse gibt es keine Seite."),
        method_not_allowed: ("Nicht möglich", "So lässt sich diese Seite nicht aufrufen."),
        timeout: (
            "Zu langsam",
            "Die Anfrage ist nicht rechtzeitig angekommen. Bitte versuchen Sie es noch einmal.",
        ),
        too_large: ("Zu groß", "Was gesendet wurde, ist größer als erlaubt."),
        uri_too_long: ("Adresse zu lang", "Die Adresse ist länger als erlaubt."),
        unsupported_media_type: (
            "Kein Formular",
            "Diese Seite nimmt nur an, was ihr Formular sendet.",
        ),
        headers_too_large: ("Zu viele Daten", "Ihr Browser hat mehr gesendet als erlaubt."),
        bad_gateway: (
            "App nicht erreichbar",
            "Die App ist nicht erreichbar. Versuchen Sie es bald noch einmal.",
        ),
        unavailable: (
            "Gerade nicht verfügbar",
            "Im Moment lässt sich nicht prüfen, wer Sie sind, deshalb wird nichts durchgelassen. \
             Es ist nichts verloren. Versuchen Sie es bald noch einmal.",
        ),
        maintenance: (
            "Wartungsarbeiten",
            "An dieser Anwendung wird gerade gearbeitet. Es ist nichts verloren. Versuchen Sie es später noch einmal.",
        ),
        gateway_timeout: (
            "Keine rechtzeitige Antwort",
            "Die App hat zu lange gebraucht. Versuchen Sie es bald noch einmal.",
        ),
        bad_request: ("Nicht verstanden", "Was gesendet wurde, war nicht zu verstehen."),
        internal: (
            "Etwas ist schiefgegangen",
            "Es liegt nicht an Ihnen. Versuchen Sie es bald noch einmal.",
        ),
        from_elsewhere: (
            "Nicht von hier",
            "Eine andere Website hat dieses Formular in Ihrem Namen gesendet. Es wurde nichts \
             ausgeführt.",
        ),
    },
    answers: ANSWERS,
};

const fn why(guess: Guess) -> &'static str {
    match guess {
        Guess::Common => "Es ist ein Passwort, das viele benutzen, oder ihm sehr ähnlich.",
        Guess::Word => "Es ist ein einzelnes Wort aus dem Wörterbuch.",
        Guess::Name => "Es besteht aus einem Namen.",
        Guess::Yours => "Es besteht aus dem, was über Sie bekannt ist.",
        Guess::Keys => "Seine Zeichen liegen auf der Tastatur nebeneinander.",
        Guess::Repeats => "Es wiederholt immer dasselbe.",
        Guess::Sequence => "Es ist eine Reihe wie abc oder 6543.",
        Guess::Date => "Es besteht aus einem Datum oder einer Jahreszahl.",
        Guess::Short => "Es ist zu kurz oder zu regelmäßig.",
    }
}

const ANSWERS: Answers = Answers {
    credentials: "Name und Passwort passen nicht zusammen.",
    not_current_password: "Das ist nicht Ihr aktuelles Passwort.",
    code: "Der Code stimmt nicht. Wenn er aus Ihrer Authenticator-App ist, geben Sie den ein, der \
           gerade angezeigt wird.",
    clock_off: |seconds| {
        format!(
            "Der Code stimmt nicht, er gehört zu einer anderen Zeit. Die Uhr Ihres Telefons geht \
             anscheinend falsch, und zwar um etwa {}. Lassen Sie das Telefon die Uhrzeit \
             automatisch einstellen und geben Sie dann den Code ein, der angezeigt wird.",
            match Wait::of(seconds) {
                Wait::Minutes(1) => "eine Minute".into(),
                _ => wait(seconds),
            }
        )
    },
    code_used: "Dieser Code wurde schon verwendet. Warten Sie auf den nächsten.",
    code_missing: "Geben Sie den Code ein, den Ihre Authenticator-App anzeigt.",
    locked: |seconds, until| {
        format!(
            "Zu viele falsche Versuche. Versuchen Sie es in {} noch einmal, um {until}.",
            wait(seconds)
        )
    },
    rate_limited: |seconds| {
        format!(
            "Zu viele Versuche in kurzer Zeit. Versuchen Sie es in {} noch einmal.",
            wait(seconds)
        )
    },
    expired: "Die Anmeldung hat zu lange gedauert oder wurde anderswo abgeschlossen. Bitte \
              beginnen Sie von vorn.",
    session_revoked: "Diese Sitzung ist beendet. Melden Sie sich neu an.",
    wrong_step: "Vorher kommt noch ein anderer Schritt.",
    already_enabled: "Ein zweiter Faktor ist schon eingerichtet.",
    link_gone: "Dieser Link wurde schon benutzt, ersetzt oder ist abgelaufen. Bitten Sie Ihre \
                Administration um einen neuen.",
    link_needed: "Zum Einrichten brauchen Sie den Link, den Ihre Administration für Sie hat.",
    mfa_enforced: "Für Sie ist ein zweiter Faktor vorgeschrieben, deshalb lässt er sich nicht \
                   entfernen.",
    registration_disabled: "Hier kann man sich nicht selbst registrieren. Wenden Sie sich an Ihre \
                            Administration.",
    no_such_session: "Diese Sitzung gehört nicht zu Ihren Sitzungen.",
    weak: |weakness| match weakness {
        PasswordWeakness::TooShort(least) => {
            format!("Wählen Sie ein Passwort mit mindestens {least} Zeichen.")
        }
        PasswordWeakness::MissingClass => "Wählen Sie ein Passwort mit Großbuchstaben, \
             Kleinbuchstaben, einer Ziffer und einem Sonderzeichen."
            .into(),
        PasswordWeakness::Unchanged => "Wählen Sie ein anderes Passwort als Ihr bisheriges.".into(),
        PasswordWeakness::Obvious => {
            "Wählen Sie ein Passwort, in dem mehr steckt als Ihr Name oder \
             der Name dieser Seite."
                .into()
        }
    },
    password_unusable: "Wählen Sie ein Passwort, das weder leer noch übermäßig lang ist.",
    mismatch: "Die beiden Passwörter sind verschieden. Bitte geben Sie beide noch einmal ein.",
    breached: "Dieses Passwort steht in einer Liste gestohlener Passwörter, die Angreifer zuerst \
               ausprobieren. Bitte wählen Sie ein anderes.",
    breach_unknown: "Ob dieses Passwort gestohlen wurde, lässt sich gerade nicht prüfen. Bitte \
                     versuchen Sie es gleich noch einmal.",
    name: |error| name(error).into(),
    name_taken: "Dieser Name ist schon vergeben. Bitte wählen Sie einen anderen.",
    busy: "Gerade melden sich zu viele Personen an. Bitte versuchen Sie es noch einmal.",
    unavailable: "Das ist gerade nicht möglich. Bitte versuchen Sie es gleich noch einmal.",
    unsent: "Ihre Eingaben sind nicht angekommen, weil Sie sich zuerst ausweisen müssen. Danach \
             kommen Sie auf die Seite zurück, von der Sie sie gesendet haben: Bitte senden Sie \
             sie dann noch einmal.",
    stale_form: "Es wurde nichts gesendet: Die Seite war zu lange geöffnet, oder Ihr Browser \
                 speichert für diese Website keine Cookies. Bitte versuchen Sie es noch einmal.",
    needs_code: "Ein Code aus der Authenticator-App wird gebraucht.",
    needs_password: "Melden Sie sich zuerst in einem Browser an und wählen Sie ein neues Passwort.",
    needs_enrolment: "Melden Sie sich zuerst in einem Browser an und richten Sie einen zweiten \
                      Faktor ein.",
};

const fn name(error: NameError) -> &'static str {
    match error {
        NameError::UsernameLength => "Wählen Sie einen Benutzernamen mit 1 bis 64 Zeichen.",
        NameError::UsernameCharacters => {
            "Ein Benutzername beginnt mit einem Buchstaben oder einer Ziffer und enthält nur \
             Buchstaben ohne Umlaute, Ziffern und . _ @ + -"
        }
        NameError::UsernameIsAddress => "Wählen Sie einen Benutzernamen ohne @.",
        NameError::Email => "Eine E-Mail-Adresse sieht aus wie anna@example.com.",
        NameError::DisplayName => "Geben Sie einen Namen mit 1 bis 128 druckbaren Zeichen ein.",
        NameError::Group => "Eine Gruppe hat 1 bis 64 druckbare Zeichen und kein Komma.",
        NameError::Login => {
            "Geben Sie einen Benutzernamen oder eine E-Mail-Adresse mit 1 bis 254 Zeichen ein."
        }
    }
}

/// As it follows `in`.
fn wait(seconds: u64) -> String {
    match Wait::of(seconds) {
        Wait::Seconds(1) => "einer Sekunde".into(),
        Wait::Seconds(seconds) => format!("{seconds} Sekunden"),
        Wait::Minutes(1) => "einer Minute".into(),
        Wait::Minutes(minutes) => format!("{minutes} Minuten"),
    }
}
