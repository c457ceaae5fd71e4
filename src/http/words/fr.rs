//! French.

use super::{
    Account, Answers, Authenticator, Demo, Enrol, Frame, Inputs, Links, Login, Logout, Paging,
    Password, Recovery, Refusals, Register, SecondFactor, Strength, Wait, Words,
};
use crate::crypto::Guess;
use crate::domain::PasswordWeakness;
use crate::types::NameError;

pub(super) static WORDS: Words = Words {
    frame: Frame {
        not_done: "Cela n’a pas fonctionné. ",
        not_done_title: |title| format!("Erreur\u{a0}: {title}"),
        signed_in: "Votre session est ouverte",
        labelled: |name, value| format!("{name}\u{a0}: {value}"),
        follow: "Continuer",
        not_possible: "Impossible",
        not_available: "Indisponible",
        try_again: "Réessayer",
    },
    inputs: Inputs {
        username: "Nom d’utilisateur",
        password: "Mot de passe",
        current_password: "Mot de passe actuel",
        new_password: "Nouveau mot de passe",
        password_again: "Le même, encore une fois",
        code: "Code de votre application d’authentification",
        reveal: ("Afficher", "Afficher le mot de passe"),
        announces: "Le code est envoyé dès le dernier chiffre.",
        go_on: "Continuer",
        confirm: "Confirmer",
        start_over: "Recommencer",
        your_account: "Votre compte",
    },
    login: Login {
        title: "Connexion",
        name: "Nom d’utilisateur ou adresse e-mail",
        remember: "Garder ma session ouverte sur cet appareil",
        button: "Se connecter",
        register: "Créer un compte",
    },
    second_factor: SecondFactor {
        title: "Second facteur",
        again: "Cette page demande que vous confirmiez de nouveau votre second facteur.",
        without: "Je ne peux pas utiliser mon application d’authentification",
        recovery_code: "Code de secours",
        recovery_hint: "L’un des dix codes conservés lors de la configuration. Chacun ne sert \
                        qu’une fois.",
        use_code: "Utiliser ce code",
    },
    password: Password {
        title: "Choisir un nouveau mot de passe",
        text: "Avant de continuer, choisissez un nouveau mot de passe.",
        own_title: "Changer votre mot de passe",
        own_text: "Partout ailleurs, vous devrez vous reconnecter.",
        button: "Changer le mot de passe",
        done_title: "Mot de passe changé",
        done: "Votre mot de passe est changé. Vos sessions sont fermées partout, sauf ici.",
    },
    strength: Strength {
        label: "Robustesse du nouveau mot de passe",
        levels: [
            "Très facile à deviner",
            "Facile à deviner",
            "Possible à deviner",
            "Difficile à deviner",
            "Très difficile à deviner",
        ],
        why,
        advice: "Ajoutez un ou deux mots sans rapport avec lui. Les majuscules, \
                  chiffres et symboles aux endroits habituels aident peu.",
    },
    register: Register {
        title: "Créer un compte",
        display_name: "Votre nom (facultatif)",
        email: "Adresse e-mail (facultatif)",
        button: "Créer le compte",
        login: "J’ai déjà un compte",
    },
    links: Links {
        setup: (
            "Créer le premier compte administrateur",
            "Personne ne peut encore se connecter. Choisissez le nom et le mot de passe du \
             premier compte administrateur.",
        ),
        invitation: ("Bienvenue", "Vous avez reçu une invitation. Choisissez votre mot de passe."),
        new_password: ("Choisir un nouveau mot de passe", "Votre second facteur ne change pas."),
        new_second_factor: (
            "Configurer une nouvelle application d’authentification",
            "Confirmez votre identité avec votre mot de passe. La configuration vient ensuite.",
        ),
    },
    enrol: Enrol {
        title: "Configurer votre application d’authentification",
        text: "Désormais, vous vous connectez avec votre mot de passe et un code donné par une \
               application d’authentification. Scannez cette image avec l’application, puis \
               saisissez le code qu’elle affiche.",
        picture: "Code QR pour votre application d’authentification",
        this_device: "L’application est sur cet appareil\u{202f}? ",
        open: "Ouvrir dans l’application d’authentification",
        key: "Ou saisissez cette clé dans l’application\u{a0}:",
        link_needed: (
            "Un lien est nécessaire",
            "Votre second facteur a été retiré par l’administration. Pour en configurer un \
             nouveau, il vous faut le lien prévu à cet effet\u{a0}: demandez-le à votre \
             administrateur et ouvrez-le.",
        ),
    },
    authenticator: Authenticator {
        title: "Votre application d’authentification",
        text: "Vous avez une application d’authentification. Vous pouvez la remplacer par une \
               autre\u{a0}: l’ancienne reste valable tant que le premier code de la nouvelle n’est \
               pas confirmé.",
        any_code: "Code de l’application, ou code de secours",
        replace: "En configurer une nouvelle",
        remove_title: "Retirer le second facteur",
        remove_text: "Votre mot de passe suffira alors pour vous connecter. Vos codes de secours \
                      seront supprimés.",
        remove: "Retirer",
        not_now: "Plus tard",
        back: "Retour à votre compte",
    },
    recovery: Recovery {
        title: "Codes de secours",
        shown_title: "Vos codes de secours",
        new_title: "Vos nouveaux codes de secours",
        shown: "Si vous perdez votre application d’authentification, chacun de ces codes la \
                remplace une fois. Conservez-les en lieu sûr, à l’abri des regards. Ils ne seront \
                plus affichés.",
        copy: "Copier",
        copied: "Copié.",
        not_copied: "Votre navigateur n’a rien copié. Veuillez sélectionner et copier vous-même.",
        save: "Enregistrer dans un fichier",
        file: "codes-de-secours",
        print: "Imprimer",
        kept: "Je les ai conservés",
        renew: "Créer de nouveaux codes de secours",
        renew_text: "Vos codes actuels ne seront plus valables.",
        renew_button: "Créer de nouveaux codes",
        none: "Vous n’avez pas de codes de secours, car vous n’avez pas d’application \
               d’authentification.",
        last_used: "Vous avez utilisé votre dernier code de secours. Créez-en de nouveaux dès \
                    maintenant\u{a0}: sans eux, vous ne pourrez plus vous connecter si vous perdez \
                    votre application d’authentification.",
        few: |left| match left {
            1 => "Il vous reste un seul code de secours. Créez-en bientôt de nouveaux.".into(),
            _ => format!(
                "Il ne vous reste que {left} codes de secours. Créez-en bientôt de nouveaux."
            ),
        },
        many: |left| {
            format!(
                "Il vous reste {left} codes de secours. Ils ont été affichés une fois et ne \
                 peuvent plus l’être."
            )
        },
    },
    account: Account {
        groups: "Groupes",
        no_groups: "Aucun",
        since: "Session ouverte depuis",
        ends: "Se termine au plus tard",
        how: "Votre façon de vous connecter",
        change_password: "Changer votre mot de passe",
        enrolled: ["Application d’authentification configurée le ", ". "],
        replace: "La remplacer ou la retirer",
        no_authenticator: "Aucune application d’authentification. ",
        enrol: "En configurer une",
        places: "Vos sessions ouvertes",
        unknown_device: "Appareil inconnu",
        device: |browser, system| format!("{browser} sur {system}"),
        place: ["Depuis l’adresse ", ", ouverte le ", ", utilisée le ", ". "],
        this_device: "Cet appareil.",
        end_there: "Fermer cette session",
        end_everywhere: "Se déconnecter partout",
        programs: "Programmes qui agissent en votre nom",
        programs_text: "Ces jetons d’accès ont été créés par votre administrateur.",
        program_since: ["Depuis le ", "."],
        revoke: |name| format!("Révoquer {name}"),
        sign_out: "Se déconnecter",
    },
    logout: Logout {
        title: "Se déconnecter\u{202f}?",
        signed_in_as: ["Votre session est ouverte sous le nom ", "."],
        button: "Se déconnecter",
        done_title: "Session fermée",
        done: "Votre session est fermée, ici et partout où elle servait.",
        sign_in: "Se reconnecter",
    },
    demo: Demo {
        title: "L’application de démonstration",
        user: ["La passerelle indique que vous êtes ", "."],
        nobody: "La passerelle n’a pas indiqué qui vous êtes.",
        received: "Cette page tient la place de votre propre application. Elle a reçu\u{a0}:",
        protect: "Pour protéger votre propre application\u{a0}: ",
    },
    paging: Paging {
        label: "Pagination",
        first: "Première page",
        previous: "Page précédente",
        next: "Page suivante",
        last: "Dernière page",
        page_of: |page, pages| format!("Page {page} sur {pages}"),
    },
    refusals: Refusals {
        forbidden: (
            "Accès refusé",
            "Vous n’avez pas accès à cette page. Adressez-vous à votre administrateur.",
        ),
        not_found: ("Rien ici", "Il n’y a pas de page à cette adresse."),
        method_not_allowed: (
            "Demande impossible",
            "Cette page ne peut pas être demandée de cette façon.",
        ),
        timeout: ("Trop lent", "La demande n’est pas arrivée à temps. Veuillez réessayer."),
        too_large: ("Envoi trop volumineux", "L’envoi dépasse la taille acceptée ici."),
        uri_too_long: ("Adresse trop longue", "L’adresse dépasse la longueur acceptée ici."),
        unsupported_media_type: (
            "Ce n’est pas un formulaire",
            "Cette page n’accepte que ce qu’envoie son formulaire.",
        ),
        headers_too_large: (
            "Trop de données",
            "Votre navigateur a envoyé plus de données que ce qui est accepté ici.",
        ),
        bad_gateway: (
            "Application injoignable",
            "L’application est injoignable. Réessayez dans un moment.",
        ),
        unavailable: (
            "Service momentanément indisponible",
            "Votre identité ne peut pas être vérifiée pour le moment, rien n’est donc transmis. \
             Rien n’est perdu. Réessayez dans un moment.",
        ),
        maintenance: (
            "Maintenance en cours",
            "Cette application est en cours de maintenance. Rien n’est perdu. Réessayez plus tard.",
        ),
        gateway_timeout: (
            "Pas de réponse à temps",
            "L’application a mis trop de temps à répondre. Réessayez dans un moment.",
        ),
        bad_request: ("Demande incomprise", "Ce qui a été envoyé n’a pas pu être compris."),
        internal: ("Un problème est survenu", "Vous n’y êtes pour rien. Réessayez dans un moment."),
        from_elsewhere: (
            "Envoi refusé",
            "Un autre site a envoyé ce formulaire en votre nom. Rien n’a été fait.",
        ),
    },
    answers: ANSWERS,
};

const fn why(guess: Guess) -> &'static str {
    match guess {
        Guess::Common => "C’est un mot de passe très répandu, ou il y ressemble beaucoup.",
        Guess::Word => "C’est un seul mot, qui est dans le dictionnaire.",
        Guess::Name => "Il est formé d’un nom.",
        Guess::Yours => "Il est formé de ce que l’on sait de vous.",
        Guess::Keys => "Ses caractères se suivent sur le clavier.",
        Guess::Repeats => "Il répète toujours la même chose.",
        Guess::Sequence => "C’est une suite, comme abc ou 6543.",
        Guess::Date => "Il est formé d’une date ou d’une année.",
        Guess::Short => "Il est trop court ou trop régulier.",
    }
}

const ANSWERS: Answers = Answers {
    credentials: "Ce nom et ce mot de passe ne vont pas ensemble.",
    not_current_password: "Ce n’est pas votre mot de passe actuel.",
    code: "Ce code n’est pas le bon. S’il vient de votre application d’authentification, \
           saisissez celui qu’elle affiche maintenant.",
    clock_off: |seconds| {
        format!(
            "Ce code n’est pas le bon\u{a0}: il vaut pour un autre moment. L’horloge de votre \
             téléphone semble décalée d’environ {}. Réglez-la sur l’heure automatique, puis \
             saisissez le code affiché.",
            wait(seconds)
        )
    },
    code_used: "Ce code a déjà été utilisé. Attendez le suivant.",
    code_missing: "Saisissez le code qu’affiche votre application d’authentification.",
    locked: |seconds, until| {
        format!("Trop d’essais incorrects. Réessayez dans {}, à {until}.", wait(seconds))
    },
    rate_limited: |seconds| {
        format!("Trop d’essais en peu de temps. Réessayez dans {}.", wait(seconds))
    },
    expired: "La connexion a pris trop de temps ou a été terminée ailleurs. Veuillez recommencer.",
    session_revoked: "Cette session est terminée. Reconnectez-vous.",
    wrong_step: "Une autre étape vient d’abord.",
    already_enabled: "Un second facteur est déjà configuré.",
    link_gone: "Ce lien a déjà servi, a été remplacé ou a expiré. Demandez-en un nouveau à votre \
                administrateur.",
    link_needed: "Pour cette configuration, il vous faut le lien que votre administrateur a pour \
                  vous.",
    mfa_enforced: "Un second facteur est exigé pour votre compte, il ne peut donc pas être retiré.",
    registration_disabled: "Il n’est pas possible de s’inscrire soi-même ici. Adressez-vous à \
                            votre administrateur.",
    no_such_session: "Cette session ne fait pas partie des vôtres.",
    weak: |weakness| match weakness {
        PasswordWeakness::TooShort(least) => {
            format!("Choisissez un mot de passe d’au moins {least} caractères.")
        }
        PasswordWeakness::MissingClass => "Choisissez un mot de passe avec des majuscules, des \
             minuscules, un chiffre et un caractère spécial."
            .into(),
        PasswordWeakness::Unchanged => {
            "Choisissez un autre mot de passe que votre mot de passe actuel.".into()
        }
        PasswordWeakness::Obvious => {
            "Choisissez un mot de passe qui contienne plus que votre nom ou celui de ce site."
                .into()
        }
    },
    password_unusable: "Choisissez un mot de passe qui ne soit ni vide ni démesurément long.",
    mismatch: "Les deux mots de passe sont différents. Veuillez les saisir de nouveau.",
    breached: "Ce mot de passe figure dans une liste de mots de passe volés, ceux que les \
               attaquants essaient en premier. Veuillez en choisir un autre.",
    breach_unknown: "Impossible de vérifier pour le moment si ce mot de passe a été volé. \
                     Veuillez réessayer dans un instant.",
    name: |error| name(error).into(),
    name_taken: "Ce nom est déjà pris. Veuillez en choisir un autre.",
    busy: "Trop de personnes se connectent en ce moment. Veuillez réessayer.",
    unavailable: "Ce n’est pas possible pour le moment. Veuillez réessayer dans un instant.",
    unsent: "Votre envoi n’est pas arrivé, car vous devez d’abord confirmer votre identité. Vous \
             reviendrez ensuite à la page d’où il est parti\u{a0}: veuillez alors l’envoyer de \
             nouveau.",
    stale_form: "Rien n’a été envoyé\u{a0}: la page était ouverte depuis trop longtemps, ou votre \
                 navigateur ne garde pas de cookies pour ce site. Veuillez réessayer.",
    needs_code: "Un code de l’application d’authentification est nécessaire.",
    needs_password: "Connectez-vous d’abord dans un navigateur et choisissez un nouveau mot de \
                     passe.",
    needs_enrolment: "Connectez-vous d’abord dans un navigateur et configurez un second facteur.",
};

const fn name(error: NameError) -> &'static str {
    match error {
        NameError::UsernameLength => "Choisissez un nom d’utilisateur de 1 à 64 caractères.",
        NameError::UsernameCharacters => {
            "Un nom d’utilisateur commence par une lettre ou un chiffre et ne contient que des \
             lettres sans accent, des chiffres et . _ @ + -"
        }
        NameError::UsernameIsAddress => "Choisissez un nom d’utilisateur sans @.",
        NameError::Email => "Une adresse e-mail ressemble à anne@example.com.",
        NameError::DisplayName => "Saisissez un nom de 1 à 128 caractères imprimables.",
        NameError::Group => "Un groupe a de 1 à 64 caractères imprimables, sans virgule.",
        NameError::Login => {
            "Saisissez un nom d’utilisateur ou une adresse e-mail de 1 à 254 caractères."
        }
    }
}

fn wait(seconds: u64) -> String {
    match Wait::of(seconds) {
        Wait::Seconds(1) => "une seconde".into(),
        Wait::Seconds(seconds) => format!("{seconds} secondes"),
        Wait::Minutes(1) => "une minute".into(),
        Wait::Minutes(minutes) => format!("{minutes} minutes"),
    }
}
