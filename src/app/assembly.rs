//! From a configuration to what the data path is put together from, at the start and at each
//! reload alike.

use super::demo::DemoApp;
use crate::api::Api;
use crate::config::Config;
use crate::forward::Forward;
use crate::portal::Portal;
use crate::proxy::Parts;
use crate::service::Service;
use std::io;
use std::sync::Arc;

/// Puts together, and keeps what must not be made twice.
#[derive(Default)]
pub(super) struct Assembly {
    demo: Option<DemoApp>,
}

impl Assembly {
    /// Everything the data path is put together from, around these use cases.
    pub(super) async fn parts(
        &mut self,
        config: &Config,
        service: Arc<Service>,
    ) -> io::Result<Parts> {
        let mut settings = config.proxy.clone();
        if settings.routes.is_empty() {
            settings.routes.push(self.demo(config).await?);
        }
        let site = Arc::new(config.site.clone());
        let identity = settings.identity.clone();
        Ok(Parts {
            portal: Arc::new(Portal::new(Arc::clone(&service), Arc::clone(&site))),
            api: Arc::new(Api::new(Arc::clone(&service), Arc::clone(&site))),
            forward: Forward::new(Arc::clone(&service), Arc::clone(&site), identity),
            service,
            site,
            settings,
        })
    }

    async fn demo(&mut self, config: &Config) -> io::Result<crate::proxy::RouteSettings> {
        let demo = match self.demo.take() {
            Some(demo) => demo,
            None => DemoApp::start().await?,
        };
        let route = demo.route(config);
        self.demo = Some(demo);
        Ok(route)
    }
}
