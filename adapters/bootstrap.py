"""Where everything is wired: settings in, an installation out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.calling import Calling
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.mailing import mail_tokens_of, mailer_of, refused_in
from adapters.outbound import chain_store, rotation
from adapters.outbound.accounts import Accounts
from adapters.outbound.attempts import PostgresAttempts
from adapters.outbound.chain import Chain
from adapters.outbound.checkpoints import CheckpointFile
from adapters.outbound.codes import PostgresCodes
from adapters.outbound.controllers import ControllerNames
from adapters.outbound.database import Database, migrate, require_current_schema
from adapters.outbound.erasure_ledger import PostgresErasureLedger
from adapters.outbound.errands import PostgresErrands
from adapters.outbound.export_columns import ExportColumns
from adapters.outbound.external_numbers import PostgresExternalNumbers
from adapters.outbound.grants import Grants
from adapters.outbound.held_records import PostgresHeldRecords
from adapters.outbound.idempotency import IdempotencyKeys, Versions
from adapters.outbound.identity_providers import ConfiguredProviders
from adapters.outbound.instruction_ledger import PostgresInstructionLedger
from adapters.outbound.limits import PostgresLimits
from adapters.outbound.links import PostgresLinks
from adapters.outbound.log_source import LogSource
from adapters.outbound.mail_limit import MOST_A_DAY, LimitedMailer
from adapters.outbound.mail_tokens import MailTokens
from adapters.outbound.master_keys import SIGNING
from adapters.outbound.one_click_links import SealedLinks
from adapters.outbound.passwords import Passwords
from adapters.outbound.recorder import LogReader, log_environment
from adapters.outbound.scanning import scanner_of
from adapters.outbound.sessions import Sessions
from adapters.outbound.signing_keys import SigningKeys
from adapters.outbound.staff import PostgresStaff
from adapters.outbound.staff_provider import StaffProvider
from adapters.outbound.suppressions import PostgresSuppressed
from adapters.outbound.system_keys import SystemKeys
from adapters.outbound.systems import ConfiguredSystems
from adapters.outbound.tasks import PostgresTasks
from adapters.outbound.taught import teach
from adapters.outbound.threads import PostgresThreads
from adapters.outbound.throttle import Throttle
from adapters.outbound.tokens import Tokens
from adapters.outbound.trial import Trials
from adapters.outbound.typesetting import TypstTypesetter
from adapters.outbound.vault import MasterKeys, PostgresVault, load_master_keys
from adapters.outbound.views import Views
from adapters.outbound.webhooks.admission import Admission
from adapters.outbound.webhooks.guard import Guard
from adapters.profiles import load_profile
from adapters.replaying import Replays, replays_of
from adapters.settings import Settings, SettingsWrong, provider_secrets, system_secrets
from domain.policy import Profile
from domain.vocabulary import Country
from projections.holds import due as due_holds
from projections.projection import civil_dates
from services.addressees import Addressees
from services.afterwards import Afterwards
from services.answering import Answering
from services.archiving import Archiving
from services.assigning import Assigning
from services.byhand import ByHand
from services.consulting import Consulting
from services.controllers import Controllers
from services.correcting import Correcting
from services.deciding import Deciding
from services.delivery import Delivery
from services.digest import Digests
from services.disclosing import Disclosing
from services.electronic import ElectronicIdentity
from services.erasure_ledger import Erasures
from services.erasure_table import ErasureTables
from services.errand_answers import ErrandAnswers
from services.errand_desk import ErrandDesk
from services.errand_door import ErrandDoor
from services.errand_questions import ErrandQuestions
from services.errands import Errands
from services.extending import Extending
from services.filing import Filing
from services.finding import Finding
from services.follower import Follower
from services.following import Following
from services.fulfilment import Fulfilments
from services.held import Held
from services.holds import Holds
from services.identity import Identity
from services.informing import Informing
from services.instructing import Instructions
from services.intake import Intake
from services.invitations import Invitations
from services.looking import Looking
from services.mailboxes import Mailboxes
from services.misdirected import Misdirected
from services.mistakes import Mistakes
from services.objecting import Objecting
from services.one_click import OneClick
from services.order_knowledge import OrderKnowledge
from services.passing_on import PassingOn
from services.planning import Planning
from services.portal import Portal
from services.porting import Porting
from services.ports import Clock, Mailer, Scanner, Systems
from services.postroom import Postroom
from services.previews import Previews
from services.questions import Questions
from services.recalling import Recalling
from services.receipts import Receipts
from services.recipient_ledger import Recipients
from services.recipient_proofs import Proofs
from services.rectifying import Rectifying
from services.redacting import Redacting
from services.references import References
from services.refusing import Refusing
from services.register import Register
from services.reminders import Reminders
from services.replies import Replies
from services.representing import Representing
from services.restricting import Restrictions
from services.retention import Retention
from services.searching_again import SearchingAgain
from services.suppressions import Suppressions
from services.told_holds import ToldHolds
from services.what_if import WhatIf
from services.wishing import Wishing
from services.withdrawing import Withdrawing
from services.worker import Worker
from services.writing import Writing


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Installation:
    """Everything one process needs; opened once, closed at the end."""

    settings: Settings
    clock: Clock
    database: Database
    register: Register
    vault: PostgresVault
    tasks: PostgresTasks
    controllers: Controllers
    intake: Intake
    passing_on: PassingOn
    finding: Finding
    correcting: Correcting
    what_if: WhatIf
    identity: Identity
    portal: Portal
    following: Following
    erasure_tables: ErasureTables
    limits: PostgresLimits
    electronic: ElectronicIdentity
    orders: OrderKnowledge
    fulfilments: Fulfilments
    byhand: ByHand
    deciding: Deciding
    redacting: Redacting
    porting: Porting
    wishing: Wishing
    representing: Representing
    recipients: Recipients
    answering: Answering
    delivery: Delivery
    previews: Previews
    writing: Writing
    recalling: Recalling
    misdirected: Misdirected
    mistakes: Mistakes
    refusing: Refusing
    retention: Retention
    held: Held
    holds: Holds
    restrictions: Restrictions
    rectifying: Rectifying
    instructions: Instructions
    instruction_ledger: PostgresInstructionLedger
    system_keys: SystemKeys
    calling: Calling
    objecting: Objecting
    informing: Informing
    disclosing: Disclosing
    filing: Filing
    export_columns: ExportColumns
    looking: Looking
    searching_again: SearchingAgain
    withdrawing: Withdrawing
    one_click: OneClick
    suppressions: Suppressions
    archiving: Archiving
    afterwards: Afterwards
    reminders: Reminders
    questions: Questions
    consulting: Consulting
    extending: Extending
    receipts: Receipts
    assigning: Assigning
    digests: Digests
    invitations: Invitations
    errands: Errands
    errand_door: ErrandDoor
    errand_questions: ErrandQuestions
    errand_answers: ErrandAnswers
    errand_desk: ErrandDesk
    scanner: Scanner
    systems: Systems
    mailer: Mailer
    mail_tokens: MailTokens | None
    tokens: Tokens
    grants: Grants
    sessions: Sessions
    accounts: Accounts
    staff_provider: StaffProvider
    idempotency: IdempotencyKeys
    versions: Versions
    staff: PostgresStaff
    views: Views
    invented: bool

    def worker(self, name: str) -> Worker:
        return Worker(
            self.register,
            self.vault,
            self.tasks,
            self.fulfilments,
            self.answering,
            self.retention,
            self.holds,
            self.rectifying,
            self.restrictions,
            self.withdrawing,
            self.digests,
            self.invitations,
            self.suppressions,
            self.orders,
            References(self.register, self.vault, self.controllers),
            self.portal,
            self.one_click,
            self.instructions,
            self.errands,
            self.errand_door,
            self.calling.asking,
            self.replays,
            self.systems,
            self.limited_mailer(),
            self.clock,
            name=name,
        )

    @property
    def replays(self) -> Replays:
        return replays_of(self)

    @property
    def trials(self) -> Trials:
        return Trials(self.database, self.controllers, self.systems, self.instructions, self.tokens)

    def limited_mailer(self) -> LimitedMailer:
        """The mailer for what no person sends by hand: so much to one address a day."""
        key = self.vault.key_for("automatic mails")
        return LimitedMailer(
            self.mailer,
            self.database,
            Mailboxes(self.controllers),
            key,
            self.clock,
            most=MOST_A_DAY,
        )

    def pass_over(self) -> None:
        """What comes by the day: holds that are over, and whoever was imported anew."""
        self.release_holds()
        self.limits.purge()
        self.calling.purge()
        self.errands.pass_over()
        self.instructions.overdue()
        self.replays.purge()
        self.suppressions.pass_over(min(civil_dates(self.clock()).values()))

    def release_holds(self) -> int:
        """Plan the release of what stood through its last day; answers how many holds."""
        today = min(civil_dates(self.clock()).values())
        return self.holds.pass_over(
            (one.hold_id, one.controller, one.system, one.release_on)
            for one in due_holds(self.database, today)
            if one.release_on is not None
        )

    def warnings(self) -> list[str]:
        """What works today and needs somebody to see to it all the same."""
        chain = chain_store.state(self.database).warnings
        if self.invented:
            return chain
        keys = rotation.warnings(
            self.database, self.vault.ring, inside=self.settings.keeps_key_inside
        )
        return [*keys, *chain, *refused_in(self.settings), *self.calling.warnings()]

    def follower(self) -> Follower:
        """A follower for one thread; the read models it needs are made if they are not there."""
        source = self.log_source()
        self.views.prepare(source)
        return Follower(source, self.views.views)

    def chain(self) -> Chain:
        """The evidence chain, for one thread."""
        return Chain(
            self.database,
            lambda: signing_keys(self.settings),
            CheckpointFile(self.settings.checkpoint_file),
            self.clock,
        )

    def log_source(self) -> LogSource:
        return LogSource(LogReader(self.database), self.register.mapper)


@contextmanager
def installation(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    mailer: Mailer | None = None,
    secrets: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
    with_migrations: bool | None = None,
    invented: bool = False,
    connect: Callable[[str], Database] = Database,
) -> Iterator[Installation]:
    """Open an installation: start the embedded database if there is no other, and wire it all.

    With `invented` its people are, and nobody has to be warned about their keys. `connect` opens
    the database behind a URL.

    The schema is brought up to date where the database is our own; elsewhere `trettio migrate`
    does that, and a schema that does not fit stops the start.
    """
    with ExitStack() as stack:
        database = stack.enter_context(
            database_of(settings, with_migrations=with_migrations, connect=connect)
        )
        register = Register(log_environment(database), teach)
        stack.callback(register.close)
        yield _wire(settings, database, register, clock, mailer, secrets, invented=invented)


@contextmanager
def database_of(
    settings: Settings,
    *,
    with_migrations: bool | None = None,
    connect: Callable[[str], Database] = Database,
) -> Iterator[Database]:
    """The database of an installation, with the schema of this program."""
    with ExitStack() as stack:
        try:
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsWrong(
                f"TRETTIO_HOME cannot be made ({error.strerror}): it expects a directory for data"
            ) from None
        embedded = settings.database_url is None
        url = (
            stack.enter_context(_embedded(settings.home))
            if settings.database_url is None
            else settings.database_url.get_secret_value()
        )
        database = stack.enter_context(connect(url))
        if embedded if with_migrations is None else with_migrations:
            migrate(database)
        require_current_schema(database)
        database.check()
        yield database


def _wire(
    settings: Settings,
    database: Database,
    register: Register,
    clock: Clock,
    mailer: Mailer | None,
    secrets: Mapping[tuple[str, str], Mapping[str, str]] | None,
    *,
    invented: bool,
) -> Installation:
    countries: dict[str, Country] = {}

    def read(document: bytes, name: str) -> Profile:
        profile = load_profile(document, name=name)
        countries[profile.id] = profile.country
        return profile

    def secrets_of(controller: str, system: str) -> Mapping[str, str]:
        given = (secrets or {}).get((controller, system), {})
        return {**given, **system_secrets(controller, system)}

    def providers_of(controller: str, provider: str) -> Mapping[str, str]:
        given = (secrets or {}).get((controller, provider), {})
        return {**given, **provider_secrets(controller, provider)}

    vault = PostgresVault(
        database,
        master_keys(settings),
        destroyed_keys=settings.home / "destroyed-keys",
        countries=countries,
        reread=lambda: master_keys(settings),
    )
    codes = PostgresCodes(database, vault.key_for("one-time codes"))
    links = PostgresLinks(database)
    admit = Admission(Guard(settings.webhook_allow), secrets_of)
    controllers = Controllers(register, ControllerNames(database), vault, clock, read, admit)
    systems = ConfiguredSystems(controllers, secrets_of, settings.exports)
    tasks = PostgresTasks(database, systems.at_once)
    planning = Planning(register, controllers, tasks)
    porting = Porting(register, vault, controllers, clock)
    threads = PostgresThreads(database)
    postroom = Postroom(
        vault,
        tasks,
        threads,
        Addressees(register, vault),
        undo_within=settings.undo_within,
    )
    recalling = Recalling(register, tasks, planning, links, clock)
    held = Held(register, vault, PostgresHeldRecords(database, vault.key_for("held records")))
    suppressions = Suppressions(
        register,
        PostgresSuppressed(database, vault.key_for("suppressions"), countries),
        controllers,
        tasks,
        clock,
    )
    retention = Retention(
        register,
        vault,
        tasks,
        controllers,
        held,
        lambda case_id: instructions.keeps(case_id),  # wired below, from what needs retention
        clock,
    )
    staff = PostgresStaff(database)
    mail_tokens = mail_tokens_of(settings)
    mailer = mailer or mailer_of(settings, clock, mail_tokens)
    errands = Errands(
        register,
        vault,
        tasks,
        controllers,
        links,
        PostgresErrands(database, vault.key_for("errand holders")),
        mailer,
        database,
        clock,
        address=settings.address,
    )
    recipients = Recipients(
        register,
        vault,
        controllers,
        postroom,
        Proofs(register, PostgresInstructionLedger(database), errands),
        clock,
    )
    replies = Replies(register, vault, threads, clock)
    numbers = PostgresExternalNumbers(database, vault)
    intake = Intake(
        register,
        vault,
        controllers,
        planning,
        postroom,
        retention,
        replies,
        numbers,
        links,
        clock,
        address=settings.address,
    )
    refusing = Refusing(register, vault, controllers, planning, postroom, retention, staff, clock)
    disclosing = Disclosing(register, vault, controllers, clock)
    answering = Answering(
        register,
        vault,
        tasks,
        controllers,
        planning,
        porting,
        recipients,
        disclosing,
        postroom,
        retention,
        links,
        codes,
        staff,
        clock,
        address=settings.address,
    )
    tokens = Tokens(database)
    questions = Questions(
        register, vault, controllers, postroom, links, clock, address=settings.address
    )
    assigning = Assigning(register, staff, clock)
    system_keys = SystemKeys(database, vault.key_for, countries)
    erasures = Erasures(PostgresErasureLedger(database), system_keys, controllers)
    fulfilments = Fulfilments(
        register, vault, tasks, controllers, suppressions, held, erasures, clock
    )
    restrictions = Restrictions(register, vault, tasks, controllers, postroom, clock)
    deciding = Deciding(
        register, vault, tasks, controllers, held, restrictions, suppressions, clock
    )
    identity = Identity(
        register,
        vault,
        controllers,
        planning,
        postroom,
        codes,
        links,
        clock,
        address=settings.address,
    )
    rectifying = Rectifying(register, vault, tasks, controllers, fulfilments, restrictions, clock)
    ledger = PostgresInstructionLedger(database)
    holds = Holds(
        register,
        vault,
        tasks,
        controllers,
        held,
        erasures,
        restrictions,
        links,
        clock,
        address=settings.address,
        sender=settings.neutral_sender,
    )
    instructions = Instructions(
        register,
        vault,
        tasks,
        controllers,
        fulfilments,
        rectifying,
        restrictions,
        ToldHolds(register, tasks, held, holds, clock),
        Withdrawing(register, controllers, held, restrictions, clock),
        ledger,
        system_keys,
        clock,
    )
    calling = Calling.over(
        register,
        vault,
        tasks,
        controllers,
        ledger,
        instructions,
        admit,
        secrets_of,
        clock,
        address=settings.address,
    )
    limits = PostgresLimits(database, vault.key_for("limits"))
    correcting = Correcting(register, vault, controllers, planning, postroom, staff, clock)
    following = Following(
        register,
        vault,
        controllers,
        identity,
        replies,
        refusing,
        correcting,
        postroom,
        codes,
        links,
        limits,
        clock,
        address=settings.address,
    )
    byhand = ByHand(register, fulfilments)
    filing = Filing(register, vault, clock)
    return Installation(
        settings=settings,
        clock=clock,
        database=database,
        register=register,
        vault=vault,
        tasks=tasks,
        controllers=controllers,
        intake=intake,
        passing_on=PassingOn(
            register, vault, controllers, intake, postroom, retention, staff, clock
        ),
        finding=Finding(vault, numbers),
        what_if=WhatIf(register, deciding, database, clock),
        correcting=correcting,
        identity=identity,
        portal=Portal(register, vault, tasks, controllers, intake, following, limits, clock),
        following=following,
        erasure_tables=ErasureTables(register, controllers, deciding, questions, clock),
        limits=limits,
        orders=OrderKnowledge(register, vault, tasks, controllers, identity, clock),
        electronic=ElectronicIdentity(
            register,
            controllers,
            identity,
            ConfiguredProviders(providers_of, address=settings.address),
            PostgresAttempts(database),
        ),
        fulfilments=fulfilments,
        byhand=byhand,
        errands=errands,
        errand_door=ErrandDoor(
            register, tasks, controllers, errands, codes, links, limits, mailer, clock
        ),
        errand_questions=ErrandQuestions(register, vault, controllers, errands),
        errand_answers=ErrandAnswers(register, vault, controllers, errands, byhand, filing, clock),
        errand_desk=ErrandDesk(register, vault, controllers, errands, links, clock),
        scanner=scanner_of(settings.scan_command),
        redacting=Redacting(register, vault, clock),
        held=held,
        suppressions=suppressions,
        archiving=Archiving(register, vault, tasks, controllers, TypstTypesetter(), clock),
        afterwards=Afterwards(register, vault, tasks, controllers, planning, postroom, clock),
        holds=holds,
        porting=porting,
        wishing=Wishing(register, controllers, clock),
        representing=Representing(
            register, vault, controllers, planning, postroom, retention, clock
        ),
        deciding=deciding,
        recipients=recipients,
        answering=answering,
        delivery=Delivery(register, vault, controllers, answering, TypstTypesetter(), clock),
        previews=Previews(register, controllers, answering, staff, clock, address=settings.address),
        refusing=refusing,
        searching_again=SearchingAgain(register, vault, refusing, clock),
        retention=retention,
        restrictions=restrictions,
        rectifying=rectifying,
        instructions=instructions,
        instruction_ledger=ledger,
        system_keys=system_keys,
        calling=calling,
        writing=Writing(register, vault, controllers, postroom, clock),
        recalling=recalling,
        misdirected=Misdirected(register, vault, controllers, postroom, links, clock),
        mistakes=Mistakes(register, vault, recalling, clock),
        withdrawing=Withdrawing(register, controllers, held, restrictions, clock),
        one_click=OneClick(
            register,
            controllers,
            intake,
            suppressions,
            tasks,
            SealedLinks(vault.key_for),
            clock,
            address=settings.address,
        ),
        disclosing=disclosing,
        filing=filing,
        export_columns=ExportColumns(database),
        looking=Looking(register, clock),
        informing=Informing(register, vault, tasks, controllers, clock),
        objecting=Objecting(register, vault, tasks, controllers, deciding, clock),
        reminders=Reminders(register, questions, assigning, clock),
        questions=questions,
        consulting=Consulting(register, vault, staff, clock),
        extending=Extending(register, vault, controllers, postroom, clock),
        receipts=Receipts(register, vault, controllers, clock),
        assigning=assigning,
        invitations=Invitations(
            register, staff, tasks, controllers, mailer, clock, address=settings.address
        ),
        digests=Digests(
            register,
            staff,
            tasks,
            controllers,
            mailer,
            database,
            clock,
            address=settings.address,
        ),
        systems=systems,
        mailer=mailer,
        mail_tokens=mail_tokens,
        tokens=tokens,
        grants=Grants(database),
        accounts=Accounts(
            database,
            vault.key_for("second factors"),
            Throttle(database, vault.key_for("sign-ins")),
            Passwords(),
        ),
        staff_provider=StaffProvider(database, settings),
        sessions=Sessions(
            database,
            tokens,
            idle=timedelta(minutes=settings.session_idle_minutes),
            longest=timedelta(hours=settings.session_hours),
        ),
        idempotency=IdempotencyKeys(database),
        versions=Versions(database),
        staff=staff,
        views=Views(database),
        invented=invented,
    )


@contextmanager
def _embedded(home: Path) -> Iterator[str]:
    server = EmbeddedPostgres(home)
    try:
        url = server.start()
        with server.kept_running():
            yield url
    finally:
        server.stop()


def master_keys(settings: Settings) -> MasterKeys:
    """The ring of this installation; on the embedded default it is made on first use."""
    if settings.master_key is not None:
        return load_master_keys(value=settings.master_key.get_secret_value())
    return load_master_keys(path=settings.key_file, generate=settings.master_key_file is None)


def signing_keys(settings: Settings) -> SigningKeys:
    """What signs the evidence chain; on the embedded default it is made on first use."""
    value = settings.signing_key.get_secret_value() if settings.signing_key else None
    ring = load_master_keys(
        value=value,
        path=settings.signing_file,
        generate=settings.signing_key_file is None,
        what=SIGNING,
    )
    return SigningKeys.of(ring)
