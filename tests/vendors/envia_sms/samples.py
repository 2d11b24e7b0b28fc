"""The answers that envia-sms.com's document prints, byte for byte, indentation included. Four of them are not JSON."""

from __future__ import annotations

__all__ = [
    "CANCELLED",
    "COUNTRIES",
    "CREDITS",
    "GENERAL",
    "SCHEDULED",
    "SENT",
    "SHORT_LINK",
    "STATUS",
    "TEST_MODE",
]

GENERAL = rb"""    {
        "error": false,
        "code_error": 0,
        "error_message": null,
        "response": {
    }"""

TEST_MODE = rb"""[
    "error": false,
    "codigo_error": "",
    "mensaje_error": "",
    "response": {
        "mensaje": "Mensaje enviado correctamente",
        "mensaje_enviado": "Mensaje de prueba",
        "numero": "521234567891",
        "fecha_programada": null,
        "identificador": {
            "0": "60si864mv8o3b"
        }
    }
]"""

SENT = rb"""    [
        "error": false,
        "codigo_error": "",
        "mensaje_error": "",
        "response": {
            "mensaje": "Mensaje enviado correctamente",
            "mensaje_enviado": "123456 es tu codigo de verificacion de API SMS.",
            "numero": "1234567891",
            "fecha_programada": null,
            "identificador": {
                "0": "60si864mv8o3b"
            }
        }
    ]"""

SCHEDULED = rb"""    {
        "error": false,
        "codigo_error": "",
        "mensaje_error": "",
        "response": {
            "mensaje": "Mensaje enviado correctamente",
            "mensaje_enviado": "123456 es tu codigo de verificacion de API SMS.",
            "numero": "123456789",
            "fecha_programada": 2022-06-03 00:00:00,
            "identificador": {
                "0": "60si864mv8o3b"
            }
        }
    }"""

SHORT_LINK = rb"""    {
        "error": false,
        "codigo_error": "",
        "mensaje_error": "",
        "response": {
            "mensaje": "Mensaje enviado correctamente",
            "mensaje_enviado": "Hola MW, tienes una increible promo, solo entra a esta https:\/\/miurl.link\/r\/XXXX",
            "numero": "123456789",
            "fecha_programada": "",
            "identificador": {
                "0": "62f06d7e40b65"
            }
        }
    }"""

CANCELLED = """        {
            "error": false,
            "error_code": "0",
            "error_message": "",
            "response": {
                "message": "Acción realizada"
            }
        }""".encode()

STATUS = rb"""    {
        "error": false,
        "error_code": "0",
        "error_message": "",
        "response": {
            "number": "521234567891",
            "status": "Modo pruebas",
            "description": [],
            "identificador": "60si864mv8o3b",
            "date": "2022-06-03 00:00:00"
        }
    }"""

COUNTRIES = """    {
        "error": true,
        "codigo_error": "",
        "mensaje_error": "",
        "response": [
            {
                "codigo_pais": "MX",
                "nombre_pais": "México",
                "prefijo": "52",
                "precio_gratis": "0.5",
                "precio_inicio": "0.47",
                "precio_basico": "0.45",
                "precio_intermedio": "0.43",
                "precio_profesional": "0.41"
            },
            {
                "codigo_pais": "FR",
                "nombre_pais": "Francia",
                "prefijo": "33",
                "precio_gratis": "1.5",
                "precio_inicio": "1.44",
                "precio_basico": "1.42",
                "precio_intermedio": "1.4",
                "precio_profesional": "1.38"
            },
            {
                "codigo_pais": "ES",
                "nombre_pais": "España",
                "prefijo": "34",
                "precio_gratis": "1.5",
                "precio_inicio": "1.43",
                "precio_basico": "1.41",
                "precio_intermedio": "1.39",
                "precio_profesional": "1.37"
            }
        ]
    }""".encode()

CREDITS = rb"""    {
        "error": false,
        "code_error": 0,
        "error_message": null,
        "response": {
            "creditos_disponibles": "9999"
        }
    }"""
