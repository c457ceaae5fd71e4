//! Spanish.

use super::{
    Account, Answers, Authenticator, Demo, Enrol, Frame, Inputs, Links, Login, Logout, Paging,
    Password, Recovery, Refusals, Register, SecondFactor, Strength, Wait, Words,
};
use crate::crypto::Guess;
use crate::domain::PasswordWeakness;
use crate::types::NameError;

pub(super) static WORDS: Words = Words {
    frame: Frame {
        not_done: "No ha sido posible. ",
        not_done_title: |title| format!("Error: {title}"),
        signed_in: "Ha iniciado sesión",
        labelled: |name, value| format!("{name}: {value}"),
        follow: "Continuar",
        not_possible: "No es posible",
        not_available: "No disponible",
        try_again: "Intentarlo de nuevo",
    },
    inputs: Inputs {
        username: "Nombre de usuario",
        password: "Contraseña",
        current_password: "Contraseña actual",
        new_password: "Contraseña nueva",
        password_again: "Repita la contraseña nueva",
        code: "Código de su aplicación de autenticación",
        reveal: ("Mostrar", "Mostrar la contraseña"),
        announces: "El código se envía al escribir la última cifra.",
        go_on: "Continuar",
        confirm: "Confirmar",
        start_over: "Empezar de nuevo",
        your_account: "Su cuenta",
    },
    login: Login {
        title: "Iniciar sesión",
        name: "Nombre de usuario o correo electrónico",
        remember: "Mantener la sesión abierta en este dispositivo",
        button: "Iniciar sesión",
        register: "Crear una cuenta",
    },
    second_factor: SecondFactor {
        title: "Segundo factor",
        again: "Para continuar, confirme de nuevo su segundo factor.",
        without: "No puedo usar mi aplicación de autenticación",
        recovery_code: "Código de recuperación",
        recovery_hint: "Uno de los diez que guardó al configurar la aplicación. Cada uno sirve una sola vez.",
        use_code: "Usar este código",
    },
    password: Password {
        title: "Elija una contraseña nueva",
        text: "Antes de continuar, elija una contraseña nueva.",
        own_title: "Cambiar la contraseña",
        own_text: "En los demás dispositivos tendrá que volver a iniciar sesión.",
        button: "Cambiar la contraseña",
        done_title: "Contraseña cambiada",
        done: "Su contraseña ha cambiado. Se han cerrado todas sus sesiones, salvo esta.",
    },
    strength: Strength {
        label: "Seguridad de la contraseña nueva",
        levels: [
            "Muy fácil de adivinar",
            "Fácil de adivinar",
            "Se puede adivinar",
            "Difícil de adivinar",
            "Muy difícil de adivinar",
        ],
        why,
        advice: "Añada una o dos palabras que no tengan nada que ver. Las mayúsculas, \
                  cifras y símbolos en los lugares habituales ayudan poco.",
    },
    register: Register {
        title: "Crear una cuenta",
        display_name: "Su nombre (opcional)",
        email: "Correo electrónico (opcional)",
        button: "Crear cuenta",
        login: "Ya tengo una cuenta",
    },
    links: Links {
        setup: (
            "Configurar la primera cuenta de administrador",
            "Todavía nadie puede iniciar sesión. Elija el nombre y la contraseña de la primera \
             cuenta de administrador.",
        ),
        invitation: ("Le damos la bienvenida", "Ha recibido una invitación. Elija su contraseña."),
        new_password: ("Elija una contraseña nueva", "Su segundo factor no cambia."),
        new_second_factor: (
            "Configurar otra aplicación de autenticación",
            "Confirme su identidad con su contraseña. Después podrá configurarla.",
        ),
    },
    enrol: Enrol {
        title: "Configurar su aplicación de autenticación",
        text: "A partir de ahora iniciará sesión con su contraseña y un código de una aplicación \
               de autenticación. Escanee esta imagen con la aplicación y escriba el código que \
               muestre.",
        picture: "Código QR para su aplicación de autenticación",
        this_device: "¿La tiene en este dispositivo? ",
        open: "Abrir en la aplicación de autenticación",
        key: "O escriba esta clave en la aplicación:",
        link_needed: (
            "Hace falta un enlace",
            "La administración ha retirado su segundo factor. Para configurar otro necesita el \
             enlace correspondiente: pídalo a su administrador y ábralo.",
        ),
    },
    authenticator: Authenticator {
        title: "Su aplicación de autenticación",
        text: "Tiene una aplicación de autenticación. Puede configurar otra en su lugar: la \
               anterior sirve hasta que se confirme el primer código de la nueva.",
        any_code: "Código de la aplicación o código de recuperación",
        replace: "Configurar otra",
        remove_title: "Quitar el segundo factor",
        remove_text: "Después bastará su contraseña para iniciar sesión. También se eliminarán \
                      sus códigos de recuperación.",
        remove: "Quitar",
        not_now: "Ahora no",
        back: "Volver a su cuenta",
    },
    recovery: Recovery {
        title: "Códigos de recuperación",
        shown_title: "Sus códigos de recuperación",
        new_title: "Sus nuevos códigos de recuperación",
        shown: "Si pierde su aplicación de autenticación, cada uno de estos códigos la sustituye \
                una vez. Guárdelos donde solo usted los encuentre. No se volverán a mostrar.",
        copy: "Copiar",
        copied: "Copiado.",
        not_copied: "Su navegador no ha copiado nada. Seleccione y copie a mano.",
        save: "Guardar en un archivo",
        file: "codigos-de-recuperacion",
        print: "Imprimir",
        kept: "Los he guardado",
        renew: "Crear nuevos códigos de recuperación",
        renew_text: "Los códigos que tiene dejarán de servir.",
        renew_button: "Crear nuevos códigos",
        none: "No tiene códigos de recuperación porque no tiene una aplicación de autenticación.",
        last_used: "Ha usado su último código de recuperación. Cree otros ahora: sin ellos no \
                    podrá entrar si pierde su aplicación de autenticación.",
        few: |left| match left {
            1 => "Le queda un solo código de recuperación. Cree otros pronto.".into(),
            _ => format!("Solo le quedan {left} códigos de recuperación. Cree otros pronto."),
        },
        many: |left| {
            format!(
                "Le quedan {left} códigos de recuperación. Se mostraron una vez y no se pueden \
                 volver a mostrar."
            )
        },
    },
    account: Account {
        groups: "Grupos",
        no_groups: "Ninguno",
        since: "Sesión abierta desde",
        ends: "Termina, como muy tarde",
        how: "Cómo inicia sesión",
        change_password: "Cambiar la contraseña",
        enrolled: ["Aplicación de autenticación configurada el ", ". "],
        replace: "Cambiarla o quitarla",
        no_authenticator: "Sin aplicación de autenticación. ",
        enrol: "Configurar una",
        places: "Dónde tiene la sesión abierta",
        unknown_device: "Dispositivo desconocido",
        device: |browser, system| format!("{browser} en {system}"),
        place: ["Desde ", ", abierta el ", ", usada por última vez el ", ". "],
        this_device: "Este dispositivo.",
        end_there: "Cerrar esa sesión",
        end_everywhere: "Cerrar todas las sesiones",
        programs: "Programas que actúan en su nombre",
        programs_text: "Su administrador creó estos tokens de acceso.",
        program_since: ["Desde el ", "."],
        revoke: |name| format!("Revocar {name}"),
        sign_out: "Cerrar sesión",
    },
    logout: Logout {
        title: "¿Cerrar sesión?",
        signed_in_as: ["Ha iniciado sesión como ", "."],
        button: "Cerrar sesión",
        done_title: "Sesión cerrada",
        done: "Su sesión se ha cerrado, aquí y en todos los sitios donde la usaba.",
        sign_in: "Volver a iniciar sesión",
    },
    demo: Demo {
        title: "La aplicación de demostración",
        user: ["La puerta de enlace dice que usted es ", "."],
        nobody: "La puerta de enlace no ha dicho quién es usted.",
        received: "Esta página ocupa el lugar de su propia aplicación. Ha recibido:",
        protect: "Para proteger su propia aplicación: ",
    },
    paging: Paging {
        label: "Páginas",
        first: "Primera página",
        previous: "Página anterior",
        next: "Página siguiente",
        last: "Última página",
        page_of: |page, pages| format!("Página {page} de {pages}"),
    },
    refusals: Refusals {
        forbidden: ("Sin acceso", "No tiene acceso a esta página. Consulte a su administrador."),
        not_found: ("Aquí no hay nada", "No hay ninguna página en esta dirección."),
        method_not_allowed: ("No es posible", "Esta página no se puede pedir de esa manera."),
        timeout: ("Demasiado lento", "La petición no llegó a tiempo. Inténtelo de nuevo."),
        too_large: ("Demasiado grande", "Lo enviado supera el tamaño que se acepta aquí."),
        uri_too_long: (
            "Dirección demasiado larga",
            "La dirección supera la longitud que se acepta aquí.",
        ),
        unsupported_media_type: (
            "No es un formulario",
            "Esta página solo acepta lo que envía su formulario.",
        ),
        headers_too_large: (
            "Demasiados datos",
            "Su navegador ha enviado más datos de los que se aceptan aquí.",
        ),
        bad_gateway: (
            "Aplicación no disponible",
            "No se ha podido conectar con la aplicación. Inténtelo de nuevo dentro de un rato.",
        ),
        unavailable: (
            "No disponible por el momento",
            "Ahora no se puede comprobar quién es usted, así que no se deja pasar nada. No se ha \
             perdido nada. Inténtelo de nuevo dentro de un rato.",
        ),
        maintenance: (
            "En mantenimiento",
            "Alguien está trabajando en esta aplicación. No se ha perdido nada. Inténtelo de nuevo más tarde.",
        ),
        gateway_timeout: (
            "Sin respuesta a tiempo",
            "La aplicación ha tardado demasiado. Inténtelo de nuevo dentro de un rato.",
        ),
        bad_request: ("Petición no válida", "No se ha podido entender lo que se envió."),
        internal: ("Algo ha salido mal", "No es culpa suya. Inténtelo de nuevo dentro de un rato."),
        from_elsewhere: (
            "Envío rechazado",
            "Otro sitio envió este formulario en su nombre. No se ha hecho nada.",
        ),
    },
    answers: ANSWERS,
};

const fn why(guess: Guess) -> &'static str {
    match guess {
        Guess::Common => "Es una contraseña que usa mucha gente, o se parece mucho a una.",
        Guess::Word => "Es una sola palabra del diccionario.",
        Guess::Name => "Está formada por un nombre.",
        Guess::Yours => "Está formada por lo que se sabe de usted.",
        Guess::Keys => "Sus caracteres están juntos en el teclado.",
        Guess::Repeats => "Repite siempre lo mismo.",
        Guess::Sequence => "Es una secuencia, como abc o 6543.",
        Guess::Date => "Está formada por una fecha o un año.",
        Guess::Short => "Es demasiado corta o demasiado regular.",
    }
}

const ANSWERS: Answers = Answers {
    credentials: "El nombre y la contraseña no coinciden.",
    not_current_password: "Esa no es su contraseña actual.",
    code: "El código no es correcto. Si es de su aplicación de autenticación, escriba el que \
           muestra ahora.",
    clock_off: |seconds| {
        format!(
            "El código no es correcto: corresponde a otro momento. El reloj de su teléfono parece \
             desajustado en alrededor de {}. Active la hora automática y escriba después el código que \
             muestre.",
            wait(seconds)
        )
    },
    code_used: "Ese código ya se ha usado. Espere al siguiente.",
    code_missing: "Escriba el código que muestra su aplicación de autenticación.",
    locked: |seconds, until| {
        format!(
            "Demasiados intentos incorrectos. Inténtelo de nuevo dentro de {}, a las {until}.",
            wait(seconds)
        )
    },
    rate_limited: |seconds| {
        format!(
            "Demasiados intentos en poco tiempo. Inténtelo de nuevo dentro de {}.",
            wait(seconds)
        )
    },
    expired: "El inicio de sesión tardó demasiado o se completó en otro lugar. Empiece de nuevo.",
    session_revoked: "Esta sesión ha terminado. Vuelva a iniciar sesión.",
    wrong_step: "Antes hay que completar otro paso.",
    already_enabled: "Ya hay un segundo factor configurado.",
    link_gone: "Este enlace ya se ha usado, se ha reemplazado o ha caducado. Pida uno nuevo a su \
                administrador.",
    link_needed: "Para configurarlo necesita el enlace que su administrador tiene para usted.",
    mfa_enforced: "Su cuenta necesita un segundo factor, por lo que no se puede quitar.",
    registration_disabled: "Aquí no es posible registrarse por cuenta propia. Consulte a su \
                            administrador.",
    no_such_session: "Esa sesión no es una de las suyas.",
    weak: |weakness| match weakness {
        PasswordWeakness::TooShort(least) => {
            format!("Elija una contraseña de al menos {least} caracteres.")
        }
        PasswordWeakness::MissingClass => "Elija una contraseña con mayúsculas, minúsculas, una \
             cifra y un carácter especial."
            .into(),
        PasswordWeakness::Unchanged => "Elija una contraseña distinta de la que tiene.".into(),
        PasswordWeakness::Obvious => {
            "Elija una contraseña que contenga más que su nombre o el de este sitio.".into()
        }
    },
    password_unusable: "Elija una contraseña que no esté vacía ni sea desmesurada.",
    mismatch: "Las dos contraseñas no son iguales. Escriba ambas de nuevo.",
    breached: "Esta contraseña figura en una lista de contraseñas robadas, que son las primeras \
               que prueban los atacantes. Elija otra.",
    breach_unknown: "En este momento no se puede comprobar si esta contraseña ha sido robada. \
                     Inténtelo de nuevo en un momento.",
    name: |error| name(error).into(),
    name_taken: "Ese nombre ya está en uso. Elija otro.",
    busy: "Hay demasiadas personas iniciando sesión en este momento. Inténtelo de nuevo.",
    unavailable: "No es posible ahora mismo. Inténtelo de nuevo en un momento.",
    unsent: "Lo que envió no llegó, porque antes tiene que confirmar su identidad. Después \
             volverá a la página desde la que lo envió: envíelo de nuevo, por favor.",
    stale_form: "No se ha enviado nada: la página llevaba demasiado tiempo abierta o su navegador \
                 no guarda cookies de este sitio. Inténtelo de nuevo.",
    needs_code: "Hace falta un código de la aplicación de autenticación.",
    needs_password: "Primero inicie sesión en un navegador y elija una contraseña nueva.",
    needs_enrolment: "Primero inicie sesión en un navegador y configure un segundo factor.",
};

const fn name(error: NameError) -> &'static str {
    match error {
        NameError::UsernameLength => "Elija un nombre de usuario de 1 a 64 caracteres.",
        NameError::UsernameCharacters => {
            "Un nombre de usuario empieza por una letra o una cifra y solo contiene letras sin \
             acentos, cifras y . _ @ + -"
        }
        NameError::UsernameIsAddress => "Elija un nombre de usuario sin @.",
        NameError::Email => "Una dirección de correo tiene la forma ana@example.com.",
        NameError::DisplayName => "Escriba un nombre de 1 a 128 caracteres imprimibles.",
        NameError::Group => "Un grupo tiene de 1 a 64 caracteres imprimibles y ninguna coma.",
        NameError::Login => {
            "Escriba un nombre de usuario o una dirección de correo de 1 a 254 caracteres."
        }
    }
}

fn wait(seconds: u64) -> String {
    match Wait::of(seconds) {
        Wait::Seconds(1) => "un segundo".into(),
        Wait::Seconds(seconds) => format!("{seconds} segundos"),
        Wait::Minutes(1) => "un minuto".into(),
        Wait::Minutes(minutes) => format!("{minutes} minutos"),
    }
}
